"""What the source must keep to: imports go one way, no pickle, one door to CuPy, docstrings."""

import ast
from collections.abc import Iterator
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "minigan"
MODULES = sorted(ROOT.rglob("*.py"))

# Each part may import those before it, and itself. The first part of a module's name that stands
# here is the part it belongs to; parts in one row stand beside one another.
ROWS: list[list[str]] = [
    ["version", "errors", "instructions", "streams", "wording"],
    ["backend", "schedule", "text"],
    ["parallel", "init", "cuda"],
    ["ops"],
    ["noise"],
    ["layers", "prior"],
    ["optim", "ema", "gradcheck", "losses", "models"],
    ["data"],
    ["export", "gradcheck_cases", "metrics"],
    ["algorithms"],
    ["explain", "training"],
    ["reports", "report"],
    ["cli"],
    ["__main__"],
]
HEIGHT = {part: i for i, row in enumerate(ROWS) for part in row}
# Beside one another, and yet not to be mixed.
APART = [("data", "layers"), ("data", "ops"), ("metrics", "algorithms"), ("algorithms", "data")]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)


def part_of(module: str) -> str | None:
    """The part of minigan that a module belongs to; None for the package itself and others."""
    first, _, rest = module.partition(".")
    return rest.split(".")[0] or None if first == "minigan" else None


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere, also within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "minigan":  # from minigan import layers
                yield from (f"minigan.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield imported_by_name(node.args[0])


def imported_by_name(name: ast.expr) -> str:
    """The module, or of an f-string the package that it stands in."""
    if isinstance(name, ast.JoinedStr):
        package = ast.literal_eval(name.values[0])
        assert package.endswith(".")
        return str(package.rstrip("."))
    return str(ast.literal_eval(name))


def wrong_imports(path: Path, tree: ast.AST) -> list[str]:
    """Imports that go up, or across between parts that stand apart."""
    mine = part_of(name_of(path))
    if mine == "__init__":
        return []
    found = []
    for module in imports(tree):
        theirs = part_of(module)
        if theirs is None or theirs == mine:
            continue
        level = HEIGHT[mine] - HEIGHT[theirs]
        if level < 0 or (level == 0 and mine != theirs) or (mine, theirs) in APART:
            found.append(f"{name_of(path)} imports {module}")
    return found


@pytest.fixture(params=MODULES, ids=name_of, scope="module")
def module(request: pytest.FixtureRequest) -> tuple[Path, ast.Module]:
    return request.param, ast.parse(request.param.read_text(encoding="utf-8"))


def test_every_part_has_its_place() -> None:
    parts = {part_of(name_of(path)) for path in MODULES} - {None, "__init__"}
    assert parts == HEIGHT.keys()


def test_imports_go_one_way(module: tuple[Path, ast.Module]) -> None:
    assert wrong_imports(*module) == []


def test_nothing_is_pickled(module: tuple[Path, ast.Module]) -> None:
    path, tree = module
    forbidden = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    assert {name.split(".")[0] for name in imports(tree)} & forbidden == set()
    source = path.read_text(encoding="utf-8")
    assert "allow_pickle=True" not in source
    loads = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "np.load"
    ]
    for call in loads:  # said, not left to a default of another version
        assert "allow_pickle=False" in ast.unparse(call)


def test_one_module_knows_cupy(module: tuple[Path, ast.Module]) -> None:
    path, tree = module
    if path.name != "backend.py":
        assert "cupy" not in {name.split(".")[0] for name in imports(tree)}


def test_no_autograd(module: tuple[Path, ast.Module]) -> None:
    forbidden = {"torch", "jax", "tensorflow", "autograd", "chainer"}
    assert {name.split(".")[0] for name in imports(module[1])} & forbidden == set()


# Where products are of the host's arrays alone.
ON_THE_HOST = {("layers.params", "grad_norm"), ("algorithms.autoencoding.autoencoder", "transform")}
LIBRARY_PRODUCTS = {"dot", "einsum", "inner", "matmul", "outer", "tensordot", "vdot"}


def library_products(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Products that a library computes: the function that each stands in, and the expression."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            operator = isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
            call = isinstance(node, ast.Attribute) and node.attr in LIBRARY_PRODUCTS
            if operator or (call and ast.unparse(node).startswith(("np.", "xp."))):
                yield function.name, ast.unparse(node)


@pytest.mark.parametrize("part", ["layers", "losses", "algorithms"])
def test_products_are_operations(part: str) -> None:
    """CuPy's own go through cuBLAS, which cannot be captured with the step they are in."""
    found = [
        (name_of(path).removeprefix("minigan."), *product)
        for path in sorted((ROOT / part).rglob("*.py"))
        for product in library_products(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert [f for f in found if f[:2] not in ON_THE_HOST] == []


def undocumented(tree: ast.Module | ast.ClassDef, within: str = "") -> list[str]:
    """A module and its public classes, functions and methods that say nothing of themselves.

    The dotted name of each. What a decorator or a dataclass makes is not in the source, and setters
    are documented where their properties are.
    """
    found = [] if within or ast.get_docstring(tree) else ["the module"]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if "overload" in decorators or f"{node.name}.setter" in decorators:
            continue
        if not ast.get_docstring(node):
            found.append(within + node.name)
        if isinstance(node, ast.ClassDef):
            found += undocumented(node, f"{within}{node.name}.")
    return found


def documented_by_a_base(module: str, name: str) -> bool:
    """Whether a method says of itself what a class above its own says of it."""
    path, _, method = name.rpartition(".")
    if not path:
        return False
    cls = attrgetter(path)(import_module(module))
    return any(getattr(vars(base).get(method), "__doc__", None) for base in cls.__mro__[1:])


def test_what_is_public_has_a_docstring(module: tuple[Path, ast.Module]) -> None:
    """A CUDA version of an operation is documented where the operation is, and what a method
    overrides in the class that had it first."""
    path, tree = module
    found = undocumented(tree)
    elsewhere = [name for name in found if documented_by_a_base(name_of(path), name)]
    operations = ROOT / "ops" / path.name
    if path.parent == ROOT / "ops" / "cuda" and operations.exists():
        twin = ast.parse(operations.read_text(encoding="utf-8"))
        elsewhere += [node.name for node in twin.body if isinstance(node, ast.FunctionDef)]
        assert not set(elsewhere) & set(undocumented(twin))
    assert set(found) <= set(elsewhere)


# --- the checks themselves ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "source", "wrong"),
    [
        ("ops/conv.py", "from minigan.layers import Dense", 1),
        ("ops/conv.py", "def f():\n    import minigan.training.log", 1),
        ("ops/conv.py", "import_module(f'minigan.layers.{name}')", 1),
        ("ops/conv.py", "import_module(f'minigan.ops.{name}')", 0),
        ("layers/dense.py", "from minigan import init, models", 1),
        ("data/npz.py", "from minigan.ops import conv", 1),
        ("optim.py", "from minigan.losses import minimax", 1),
        ("training/log.py", "from minigan.cli import main", 1),
        ("training/log.py", "import numpy\nfrom minigan.ops import conv\nimport minigan", 0),
    ],
)
def test_a_wrong_import_would_be_seen(path: str, source: str, wrong: int) -> None:
    assert len(wrong_imports(ROOT / path, ast.parse(source))) == wrong


UNDOCUMENTED = '''
"""A module."""
class A:
    """Said."""
    x: int
    def f(self): ...
    def g(self):
        """Said."""
    def _h(self): ...
    def __len__(self): ...
    @property
    def p(self): ...
    @p.setter
    def p(self, value): ...
    @classmethod
    def c(cls): ...
class _B:
    def f(self): ...
'''


def test_a_method_without_a_docstring_would_be_seen() -> None:
    assert undocumented(ast.parse(UNDOCUMENTED)) == ["A.f", "A.p", "A.c"]


def test_a_method_may_be_documented_by_a_base() -> None:
    assert documented_by_a_base("minigan.layers.dense", "Dense.forward")
    assert documented_by_a_base("minigan.data.pairs", "Pairs.kind")
    assert not documented_by_a_base("minigan.layers.dense", "Dense.describes")
    assert not documented_by_a_base("minigan.layers.params", "FlatParams.zero_grad")
    assert not documented_by_a_base("minigan.cli", "main")


def test_a_library_s_product_would_be_seen() -> None:
    source = "def f(a, b):\n    return a @ b + np.dot(a, b) + matmul(a, b)"
    assert list(library_products(ast.parse(source))) == [("f", "a @ b"), ("f", "np.dot")]


def test_a_missing_docstring_would_be_seen() -> None:
    source = "'''M.'''\ndef f(): pass\nclass C:\n    def g(self): pass\ndef _h(): pass"
    assert undocumented(ast.parse(source)) == ["f", "C", "C.g"]
