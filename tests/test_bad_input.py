"""What a user may get wrong: one line that says what was given, what is allowed and what to do.

Nothing is left behind by a command that was refused.
"""

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from shlex import split

import numpy as np
import pytest
from PIL import Image

from tests.training.support import (
    DCGAN,
    POINTS,
    Finished,
    contents,
    error_line,
    numbers,
    run,
    write_pictures,
)

Command = Callable[..., Finished]


def picture(path: Path, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(256, size=(*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def bomb(path: Path) -> None:
    """A PNG of a few hundred bytes that claims 100,000 x 100,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with data of every bad kind."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("file.txt").write_text("no picture")
    for i, size in enumerate([(8, 8), (8, 8), (9, 7)]):
        picture(Path(f"mixed/{i}.png"), size)
    for i in range(9):
        picture(Path(f"torn/{i}.png"))
    Path("torn/3.png").write_bytes(Path("torn/3.png").read_bytes()[:60])
    Path("torn/4.jpg").write_text("text")
    bomb(Path("torn/5.png"))
    Path("bomb").mkdir()
    bomb(Path("bomb/a.png"))
    Path("hopeless").mkdir()
    Path("hopeless/a.png").write_text("text")
    np.savez("nan.npz", x=np.full((50, 2), np.nan))
    np.savez("whole.npz", x=np.ones((50, 2), np.int64))
    np.savez("bright.npz", x=np.full((50, 8, 8, 1), 200.0))
    np.savez("deep.npz", x=np.ones((50, 2, 2, 2, 2)))
    np.savez("thick.npz", x=np.zeros((50, 8, 8, 5), np.uint8))
    Path("torn.npz").write_bytes(b"PK\x03\x04 and no more")
    write_pictures(Path("few.npz"), n=5)
    write_pictures(Path("odd.npz"), n=50, shape=(18, 30, 3))
    return tmp_path


# What is given, the exit code, and the words that the message must hold.
REFUSED: list[tuple[str, int, list[str]]] = [
    # names
    (
        "trian",
        1,
        ["unknown command 'trian'", "did you mean 'train'", "export, gradcheck, import, list"],
    ),
    ("train dcgna", 1, ["unknown algorithm 'dcgna'", "did you mean 'dcgan'", "known: "]),
    ("train dcgan --witdh 3", 2, ["'--witdh'", "'--width'", "minigan train dcgan --help"]),
    ("train DCGAN", 1, ["unknown algorithm 'DCGAN'; did you mean 'dcgan'?"]),
    ("train dcgan --out empty/..", 1, ["exists already; choose another --out"]),
    ("train gan --width 3", 2, ["'--width'", "minigan train gan --help"]),
    ("train gan extra", 2, ["unexpected extra argument (extra)"]),
    ("train dcgan --data kitens", 1, ["unknown data 'kitens'", "'kittens'", "no such file"]),
    ("train dcgan --data no/such/folder", 1, ["unknown data 'no/such/folder'", "no such file or"]),
    ("train dcgan --data file.txt", 1, ["file.txt is of no kind", "folder of pictures", ".npz"]),
    ("resume", 2, ["Missing argument 'DIR'"]),
    ("resume nowhere", 1, ["nowhere holds no run (no config.json)", "`minigan train` starts one"]),
    ("sample nowhere --out x.png", 1, ["nowhere holds no run"]),
    ("explain stylegan9", 1, ["unknown topic 'stylegan9'", "known: "]),
    ("gradcheck Conv3d", 1, ["unknown layer, loss or network 'Conv3d'", "'Conv2d'", "AvgPool2d"]),
    ("list all", 2, ["unexpected extra argument (all)"]),
    # numbers of every run
    ("train dcgan --batch 0", 1, ["--batch 0 must be at least 1"]),
    ("train dcgan --batch -3", 1, ["--batch -3 must be at least 1"]),
    ("train dcgan --batch ten", 2, ["'--batch'", "'ten' is not a valid int"]),
    ("train dcgan --batch 2.5", 2, ["'--batch'", "'2.5' is not a valid int"]),
    ("train dcgan --steps -1", 1, ["--steps -1 must be at least 0"]),
    ("train dcgan --seed -1", 1, ["--seed -1 must be at least 0"]),
    ("train dcgan --log-every 0", 1, ["--log-every 0 must be at least 1"]),
    ("train dcgan --sample-every -1", 1, ["--sample-every -1 must be at least 0"]),
    ("train dcgan --checkpoint-every -1", 1, ["--checkpoint-every -1 must be at least 0"]),
    ("train dcgan --keep 0", 1, ["--keep 0 must be at least 1"]),
    ("train dcgan --threads -1", 1, ["--threads -1 must be at least 0"]),
    ("train dcgan --device tpu", 1, ["unknown device 'tpu'", "cpu, cuda, cuda:N"]),
    ("train dcgan --eval-every 5", 1, ["--eval-every and", "give --keep-best METRIC too"]),
    ("train dcgan --eval-samples 50", 1, ["--eval-samples say", "give --keep-best METRIC too"]),
    (
        "train gan --steps 20 --keep-best two-sample --eval-every 21",
        1,
        ["--eval-every 21 is beyond 20 steps", "give 20 or less"],
    ),
    # options that others leave without effect
    (
        "train vae --width 8",
        1,
        ["--width does nothing with --network mlp; it is for --network con"],
    ),
    (
        "train dcgan --reference-batch 8 --norm-G layer",
        1,
        ["nothing with --norm-G layer", "it is for --norm-G or --norm-D reference or virtual"],
    ),
    ("train pix2pix --blocks 2", 1, ["with --generator unet", "--generator resnet or dilated"]),
    # optimisers and schedules
    (
        "train biggan --lr 0.1",
        1,
        ["--lr does not set --lr-G (here 0.002) and --lr-D (here 0.0005)", "by its own name"],
    ),
    ("train infogan --lr 0.1", 1, ["--lr does not set --lr-G (here 0.001)"]),
    (
        "train dcgan --decay-end 50",
        1,
        ["--decay-end 50 needs --schedule linear or cosine or halving"],
    ),
    ("train dcgan --lr -1", 1, ["learning rate -1.0 must be at least 0 and finite"]),
    ("train dcgan --lr inf", 1, ["learning rate inf must be at least 0 and finite"]),
    ("train dcgan --lr nan", 1, ["learning rate nan"]),
    ("train dcgan --lr fast", 2, ["'--lr'", "'fast' is not a valid float"]),
    ("train dcgan --optimizer lion", 2, ["'--optimizer'", "'lion'", "'adam'", "'nesterov'"]),
    ("train dcgan --momentum 0.5", 1, ["--momentum is no option of --optimizer adam", "beta1"]),
    ("train gan --beta1 0.5", 1, ["--beta1 is no option of --optimizer momentum", "momentum"]),
    ("train gan --optimizer sgd --alpha 0.9", 1, ["--alpha is no option of --optimizer sgd"]),
    ("train dcgan --beta1 1", 1, ["beta1=1.0 must lie in [0, 1)"]),
    ("train dcgan --beta2 nan", 1, ["beta2=nan must lie in [0, 1)"]),
    ("train dcgan --weight-decay -1", 1, ["weight_decay=-1.0 must be at least 0"]),
    ("train dcgan --weight-decay nan", 1, ["weight_decay=nan must be at least 0"]),
    ("train dcgan --clip-norm 0", 1, ["--clip-norm 0.0 must be above 0"]),
    ("train dcgan --clip-norm nan", 1, ["--clip-norm nan must be above 0"]),
    ("train dcgan --warm-up -1", 1, ["warm-up over -1 steps", "at least 0"]),
    ("train dcgan --schedule steps", 2, ["'--schedule'", "'constant', 'linear', 'cosine'"]),
    ("train dcgan --schedule cosine --decay-end 0", 1, ["--decay-end 0 must be at least 1"]),
    # the game and its networks
    ("train dcgan --objective wgna", 2, ["'--objective'", "'minimax', 'non-saturating'"]),
    ("train gan --objective lsgan --margin 2", 1, ["--margin is no option", "--a, --b, --c"]),
    ("train gan --objective lsgan --a 1", 1, ["a=1.0, b=1.0", "a unlike b"]),
    ("train gan --objective f-gan --pi 0.3", 1, ["pi=0.3", "'weighted-jensen-shannon'", "'kl'"]),
    ("train gan --objective hinge --label-smoothing 0.1", 1, ["--label-smoothing", "hinge"]),
    ("train gan --label-smoothing 1", 1, ["label_smoothing=1.0 must lie in [0, 1)"]),
    ("train gan --objective ebgan", 1, ["'ebgan'", "Dense(240, 1)", "no decoder"]),
    ("train ebgan --objective hinge --pull-away 0", 1, ["'hinge'", "energies"]),
    ("train ebgan --objective began", 1, ["--pull-away", "ebgan", "began"]),
    ("train ebgan --pull-away -1", 1, ["--pull-away -1.0", "at least 0"]),
    ("train ebgan --code-dim 0", 1, ["--code-dim 0 must be at least 1"]),
    ("train ebgan --power 3", 1, ["power=3"]),
    ("train began --data ring --network began", 1, ["takes pictures", "--network mlp"]),
    (
        "train gan --objective wasserstein",
        1,
        ["wasserstein has no lower bound", "give --clip-weights or --penalty or --spectral-norm"],
    ),
    ("train stargan --batch 1", 1, ["alone in its minibatch", "use --batch 2 or more"]),
    ("train stargan --label tail", 1, ["unknown label 'tail'", "known: accessory, body"]),
    ("train stargan --data ring", 1, ["stargan makes pictures of pictures", "use cgan"]),
    ("train stargan --data kittens-edges", 1, ["holds pairs of pictures"]),
    ("train stargan --halvings 6", 1, ["32x32 cannot be halved 6 times", "--halvings 5 or less"]),
    ("train stargan --penalty none", 1, ["wasserstein has no lower bound", "give --penalty"]),
    ("train stargan --lambda-cls -1", 1, ["--lambda-cls -1.0 must be at least 0"]),
    ("train age-cgan --data ring", 1, ["cdcgan makes pictures", "use cgan"]),
    ("train age-cgan --data kittens-edges", 1, ["kittens-edges holds pairs of pictures"]),
    ("train age-cgan --data faces-makeup", 1, ["faces-makeup holds pairs of pictures"]),
    ("train age-cgan --size 30", 1, ["30x30", "nearest legal sizes"]),
    ("train age-cgan --size 8", 1, ["faces-ages of size 8", "from 16 to 256"]),
    ("train age-cgan --size 32x16", 1, ["faces-ages of size 32x16", "give one side"]),
    ("train age-cgan --label eyes", 1, ["unknown label 'eyes'", "known: age"]),
    ("train age-cgan --recogniser digits", 1, ["--recogniser digits", "kittens, faces-ages"]),
    ("train age-cgan --recogniser vgg", 2, ["'--recogniser'", "'faces-ages'"]),
    ("train age-cgan --encoder-steps -1", 1, ["--encoder-steps -1 must be at least 0"]),
    (
        "train age-cgan --steps 10 --encoder-steps 10",
        1,
        ["--encoder-steps 10 leave the game none of --steps 10"],
    ),
    ("train age-cgan --keep-best persons", 1, ["'persons' cannot choose a checkpoint"]),
    ("train age-cgan --iterations 0", 1, ["--iterations 0 must be at least 1"]),
    ("train age-cgan --z-dim 0", 1, ["--z-dim 0 must be at least 1"]),
    ("train pix2pix --data faces-ages", 1, ["faces-ages holds single examples"]),
    ("train munit --data digits", 1, ["digits holds single examples", "pairs are digits-negative"]),
    ("train munit --blocks 0", 1, ["--blocks 0 must be at least 1", "a style enters G"]),
    ("train munit --mlp-width 0", 1, ["--mlp-width 0 must be at least 1", "a style enters G"]),
    ("train munit --weight-style -1", 1, ["--weight-style -1.0 must be at least 0 and finite"]),
    ("train munit --size 8", 1, ["--scales 3: pictures of 8x8", "give --scales 2 or less"]),
    ("train munit --halvings -1", 1, ["--halvings -1 must be at least 0"]),
    ("train munit --norm layer", 2, ["'--norm'", "'batch', 'instance', 'none'"]),
    ("train pixelda --data digits", 1, ["digits holds no two domains", "digits-m does", "in A"]),
    ("train pixelda --data kittens-edges", 1, ["kittens-edges holds no two domains", "digits-m"]),
    ("train pixelda --data voices", 1, ["voices holds no two domains", "digits-m"]),
    ("train pixelda --data moving-digits", 1, ["moving-digits holds clips", "train next-frame"]),
    ("train pixelda --data oracle", 1, ["oracle holds sentences", "train seqgan"]),
    ("train pixelda --data digit-m", 1, ["unknown data 'digit-m'", "did you mean 'digits-m'"]),
    ("train pixelda --data mixed", 1, ["mixed holds no two folders A and B", "class folders in A"]),
    ("train pixelda --size 3", 1, ["pictures of 3x3 are too small for T", "sides of 4 or more"]),
    ("train pixelda --size 64", 1, ["digits-m of size 64x64", "sides go up to 48"]),
    ("train pixelda --x-channels 1", 1, ["x has 1 channels, y 3", "give --channels 1 or 3"]),
    ("train pixelda --batch 1", 1, ["norms are over a batch", "use --batch 2 or more"]),
    ("train pixelda --z-dim 0", 1, ["--z-dim 0 must be at least 1"]),
    ("train pixelda --blocks -1", 1, ["--blocks -1 must be at least 0"]),
    ("train pixelda --dropout-D 1", 1, ["dropout p=1.0 must lie in [0, 1)"]),
    ("train pixelda --noise-D -1", 1, ["noise of std=-1.0: wanted at least 0"]),
    ("train pixelda --weight-task nan", 1, ["--weight-task nan must be at least 0 and finite"]),
    ("train pixelda --weight-content 2", 1, ["--weight-content does nothing", "for --content all"]),
    ("train pixelda --content grey", 2, ["'--content'", "'not-black'"]),
    ("train pixelda --method dann", 2, ["'--method'", "'source-only'"]),
    ("train pixelda --method source-only --z-dim 3", 1, ["--z-dim does nothing with --method"]),
    (
        "train pixelda --keep-best target-accuracy",
        1,
        ["'target-accuracy' cannot choose a checkpoint"],
    ),
    (
        "train pixelda --method source-only --keep-best sharpness",
        1,
        ["--keep-best sharpness is of pictures that G makes", "trains no G"],
    ),
    (
        "train pix2pix --data digits-m",
        1,
        ["digits-m holds no pairs that belong", "pixelda"],
    ),
    ("train dcgan --data digits-m", 1, ["digits-m holds pairs of pictures"]),
    ("train unit --halvings -1", 1, ["--halvings -1 must be at least 0"]),
    ("train cyclegan --objective wasserstein", 1, ["wasserstein has no", "give --clip-weights"]),
    ("train srgan --size 30", 1, ["30x30 cannot be made 4 times smaller", "--size 28x28 or 32x32"]),
    ("train srgan --data ring", 1, ["ring holds points", "only pictures can be restored"]),
    ("train srgan --data kittens-edges", 1, ["kittens-edges holds pairs of pictures"]),
    ("train srgan --scale 3", 1, ["--scale 3", "give 2 or 4"]),
    ("train srgan --pretrain -1", 1, ["--pretrain -1 must be at least 0"]),
    ("train srgan --content digits", 1, ["pictures of 8x8 or more with 1 channels", "mse"]),
    ("train srgan --content vgg", 2, ["'--content'", "'kittens'"]),
    ("train srgan --blocks 0", 1, ["--blocks 0", "at least 1"]),
    ("train srgan --generator rrdb --growth 0", 1, ["--growth 0", "at least 1"]),
    ("train srgan --growth 8", 1, ["--growth does nothing with --generator srresnet", "rrdb"]),
    ("train srgan --generator unet", 2, ["'--generator'", "'rrdb'"]),
    ("train srgan --content-layer 2", 1, ["--content-layer does nothing with --content mse"]),
    ("train srgan --content-before", 1, ["--content-before does nothing with --content mse"]),
    ("train srgan --content kittens --content-layer 4", 1, ["convolutions 1 to 3"]),
    ("train srgan --weight-l1 -1", 1, ["--weight-l1 -1.0 must be at least 0"]),
    ("train srgan --pretrain-loss l2", 2, ["'--pretrain-loss'", "'l1'"]),
    ("train srgan --jitter -1", 1, ["--jitter -1: give 0 or more pixels"]),
    ("train deblurgan --size 30", 1, ["30x30", "28x28 and 32x32"]),
    ("train deblurgan --size 16", 1, ["16x16 are too small for patches of 70x70", "--patch 34"]),
    ("train deblurgan --data ring", 1, ["ring holds points", "only pictures can be restored"]),
    ("train deblurgan --data kittens-edges", 1, ["kittens-edges holds pairs of pictures"]),
    (
        "train deblurgan --length 0",
        1,
        ["--length 0.0 of pictures of 32x32", "above 0 and below 32"],
    ),
    ("train deblurgan --length 32", 1, ["--length 32.0 of pictures of 32x32", "below 32"]),
    ("train deblurgan --k 0", 1, ["--k 0 must be at least 1"]),
    ("train deblurgan --blocks 0", 1, ["--blocks 0 must be at least 1"]),
    ("train deblurgan --patch 71", 1, ["no PatchGAN has a receptive field of 71", "70 and 34"]),
    ("train deblurgan --norm-D batch", 1, ["mixes the examples of a batch", "--norm-D"]),
    ("train deblurgan --norm-G layer", 2, ["'--norm-G'", "'instance'"]),
    ("train deblurgan --penalty none", 1, ["wasserstein has no lower bound", "give --penalty"]),
    ("train deblurgan --content digits", 1, ["pictures of 8x8 or more with 1 channels", "mse"]),
    ("train deblurgan --content-layer 4", 1, ["--content-layer 4", "convolutions 1 to 3"]),
    (
        "train deblurgan --content mse --content-layer 1",
        1,
        ["--content-layer 1 is a classifier's", "leave it out"],
    ),
    ("train deblurgan --weight-content 0 --weight-gan 0", 1, ["leave G nothing to descend"]),
    ("train deblurgan --weight-content -1", 1, ["--weight-content -1.0 must be at least 0"]),
    ("train deblurgan --dropout 1", 1, ["1.0"]),
    ("train deblurgan --objective ebgan", 2, ["'--objective'", "'wasserstein'"]),
    ("train pixeldtgan --size 30", 1, ["cannot make pictures of 30x30", "28x28 and 32x32"]),
    ("train pixeldtgan --batch 1", 1, ["--batch 1", "another source's", "2 or more"]),
    ("train pixeldtgan --code-dim 0", 1, ["--code-dim 0 must be at least 1"]),
    ("train pixeldtgan --judges all", 2, ["'--judges'", "'both', 'relevant', 'real-fake'"]),
    ("train pixeldtgan --judges none", 1, ["C has nothing to descend", "--distance none"]),
    ("train pixeldtgan --weight-gan 0", 1, ["C has nothing to descend"]),
    (
        "train pixeldtgan --judges none --distance l2 --weight-gan 2",
        1,
        ["--weight-gan does nothing with --judges none", "both or relevant or real-fake"],
    ),
    (
        "train pixeldtgan --weight-close 2",
        1,
        ["--weight-close does nothing with --distance none", "--distance l1 or l2"],
    ),
    ("train pixeldtgan --distance l2 --weight-close -1", 1, ["--weight-close -1.0 must be at"]),
    ("train pixeldtgan --objective wasserstein", 2, ["'--objective'", "'lsgan'"]),
    ("train pixeldtgan --data digits", 1, ["digits holds single examples; pairs are"]),
    ("train pixeldtgan --data voices", 1, ["voices holds sounds; pairs are"]),
    ("train pixeldtgan --size 66", 1, ["kittens of size 66", "8 to 64"]),
    ("train pixeldtgan --size 16x32", 1, ["kittens-worn of size 16x32", "give one side"]),
    ("train dcgan --data kittens-worn", 1, ["kittens-worn holds pairs of pictures"]),
    ("train context-encoder --size 30", 1, ["cannot make pictures of 30x30", "28x28 and 32x32"]),
    ("train context-encoder --size 8", 1, ["--size 16 or larger, or --hole random"]),
    ("train context-encoder --overlap 8", 1, ["--overlap of 8", "give 7 or less"]),
    ("train context-encoder --overlap -1", 1, ["--overlap -1 must be at least 0"]),
    ("train context-encoder --hole middle", 2, ["'--hole'", "'center', 'random'"]),
    ("train context-encoder --weight-rec 0 --weight-gan 0", 1, ["nothing to descend"]),
    ("train context-encoder --data ring", 1, ["ring holds points"]),
    ("train pix2pix --objective wasserstein", 1, ["wasserstein has no", "another objective"]),
    ("train gan-cls --objective wasserstein", 1, ["wasserstein has no", "another objective"]),
    ("train midinet --data kittens", 1, ["melodies in bars", "--data tunes"]),
    ("train midinet --data torn", 1, ["no melodies in bars", "--data tunes"]),
    ("train dcgan --data torn --size 1000000", 1, ["size 1000000", "1 to 8192"]),
    *(
        (
            f"train {name} --data tunes",
            1,
            ["tunes holds melodies in bars", "`minigan train midinet`"],
        )
        for name in ("gan", "cgan", "vae", "dcgan", "stargan", "infogan")
    ),
    ("train midinet --size 8", 1, ["tunes holds bars of melody", "leave --size out"]),
    ("train midinet --chords some", 2, ["'--chords'", "'none'", "'last'", "'all'"]),
    ("train midinet --updates-G 0", 1, ["--updates-G 0 must be at least 1"]),
    ("train midinet --lambda-1 -1", 1, ["--lambda-1 -1.0 must be at least 0"]),
    ("train midinet --label-smoothing 1", 1, ["label_smoothing=1.0 must lie in [0, 1)"]),
    ("train midinet --keep-best melody", 1, ["'melody' cannot choose a checkpoint"]),
    ("train midinet --keep-best fid", 1, ["needs pictures or points", "bars of shape"]),
    ("train seqgan --data kittens", 1, ["kittens holds no sentences", "oracle, captions"]),
    ("train seqgan --data nowhere.txt", 1, ["nowhere.txt", "no such file"]),
    ("train seqgan --size 8", 1, ["--size 8 is of pictures", "--length"]),
    ("train seqgan --data captions --words 9", 1, ["--words 9 is of --data oracle", "leave"]),
    ("train seqgan --data captions --length 3", 1, ["--length 3", "give 6 or more"]),
    ("train seqgan --words 1", 1, ["--words 1 must be at least 2"]),
    ("train seqgan --length 0", 1, ["--length 0 must be at least 1"]),
    ("train seqgan --words 9 --windows 30 --filters 3", 1, ["no window of (30,)", "20 tokens"]),
    ("train seqgan --words 9 --windows 3", 1, ["1 windows and 12 numbers of filters"]),
    ("train seqgan --words 9 --dropout 1", 1, ["dropout p=1.0 must lie in [0, 1)"]),
    ("train seqgan --words 9 --rollouts 0", 1, ["--rollouts 0 must be at least 1"]),
    ("train seqgan --words 9 --d-steps 500", 1, ["--d-steps 500", "lower --batch or --d-steps"]),
    ("train seqgan --keep-best nll-test", 1, ["'nll-test' cannot choose a checkpoint"]),
    ("train seqgan --words 9 --keep-best fid", 1, ["needs pictures or points", "sentences of"]),
    ("train seqgan --data captions --keep-best nll-oracle", 1, ["sentences of an oracle"]),
    ("train dcgan --data captions", 1, ["captions holds sentences", "train seqgan"]),
    ("train pix2pix --data oracle", 1, ["oracle holds sentences", "train seqgan"]),
    ("train segan --data oracle", 1, ["oracle holds sentences", "train seqgan"]),
    ("train aae --objective wasserstein", 1, ["wasserstein has no", "another objective"]),
    ("train gan --penalty-weight 3", 1, ["--penalty-weight", "--penalty none"]),
    ("train gan --penalty r1 --penalty-target 1", 1, ["--penalty r1", "has: --penalty-weight"]),
    ("train gan --penalty r1 --penalty-weight 0", 1, ["weight=0.0 must be above 0"]),
    ("train dcgan --penalty r1", 1, ["'r1'", "BatchNorm(128)", "--norm-D"]),
    ("train dcgan --norm-D group", 2, ["'--norm-D'", "'batch'", "'layer'"]),
    ("train gan --clip-weights -1", 1, ["--clip-weights -1.0 must be at least 0"]),
    ("train gan --instance-noise -1", 1, ["--instance-noise -1.0 must be at least 0"]),
    ("train gan --lr-D nan", 1, ["learning rate nan"]),
    ("train gogan --objective hinge", 1, ["margin", "--objective hinge"]),
    ("train gogan --stages 0", 1, ["0 stages"]),
    ("train gogan --stage-steps -1", 1, ["--stage-steps -1 must be at least 0"]),
    ("train gogan --rank-weight 0", 1, ["rank_weight=0.0 must be above 0"]),
    ("train gogan --unroll 2", 1, ["--unroll 2", "gogan"]),
    (
        "train pix2pixhd --size 64 --width 4 --scales 9",
        1,
        ["--scales 9: pictures of 64x64", "end at 0x0", "7x7 need 3x3", "give --scales 5 or less"],
    ),
    (
        "train pix2pixhd --size 64 --width 4 --scales 6",
        1,
        ["end at 2x2", "--scales 5 or less, or larger pictures"],
    ),
    (
        "train pix2pixhd --size 64 --width 4 --scales 3 --patch 70",
        1,
        ["end at 16x16", "70x70 need 24x24", "--scales 2 or less, a --patch below 70, or larger"],
    ),
    (
        "train pix2pixhd --size 64 --width 4 --scales 5 --discriminator image",
        1,
        ["--scales 5: DCGAN cannot make pictures of 4x4", "or --scales 4 or less"],
    ),
    # sounds
    ("train segan --window 99", 1, ["--window 99 cannot be halved 1 times", "give 98 or 100"]),
    ("train segan --window 96 --halvings 6", 1, ["--window 96", "give 128, or another --halvings"]),
    ("train segan --halvings 12", 1, ["--halvings 12", "1 to 11 layers"]),
    ("train segan --size 16", 1, ["--size 16 is of pictures", "--window"]),
    ("train segan --channels 1", 1, ["--channels 1 is of pictures"]),
    ("train segan --data digits", 1, ["digits holds no speech", "voices does, or a folder"]),
    ("train segan --data mixed", 1, ["no WAV files in", "mixed"]),
    ("train segan --data file.txt", 1, ["is no folder", "WAV files"]),
    ("train segan --preemphasis 1", 1, ["--preemphasis 1.0 must lie in [0, 1)"]),
    ("train segan --judge none --norm none", 1, ["--norm", "--judge"]),
    ("train segan --data moving-digits", 1, ["moving-digits holds no speech"]),
    ("train next-frame --data voices", 1, ["voices holds no clips"]),
    ("train dcgan --data voices", 1, ["voices holds speech", "segan"]),
    ("train pix2pix --data voices", 1, ["voices holds sounds; pairs are"]),
    # clips
    (
        "train next-frame --size 16 --width 4 --scales 4",
        1,
        ["--scales 4: frames of 16x16", "4x4 at least; these have 3; give --scales 3 or less"],
    ),
    ("train next-frame --width 5", 1, ["a width of 5", "even --width, or --width-D"]),
    ("train next-frame --width 4 --frames 0", 1, ["--frames 0", "from 1 at least"]),
    ("train next-frame --size 40", 1, ["drawn at 16x16, 32x32", "--size 40x40"]),
    ("train next-frame --width 4 --p 3", 2, ["'--p'", "'1', '2'"]),
    ("train next-frame --width 4 --gdl-alpha 3", 2, ["'--gdl-alpha'", "'1', '2'"]),
    ("train next-frame --width 4 --weight-adv -1", 1, ["--weight-adv -1.0 must be at least 0"]),
    (
        "train next-frame --width 4 --weight-adv 0 --weight-lp 0 --weight-gdl 0",
        1,
        ["--weight-adv, --weight-lp and --weight-gdl are all 0", "nothing to descend"],
    ),
    ("train next-frame --data kittens-edges", 1, ["kittens-edges holds no clips", "moving-digits"]),
    ("train pix2pix --data moving-digits", 1, ["moving-digits holds clips", "train next-frame"]),
    ("train dcgan --data moving-digits", 1, ["moving-digits holds clips", "train next-frame"]),
    ("train next-frame --objective wasserstein", 1, ["wasserstein has no", "another objective"]),
    # persons in poses
    ("train pg2 --data digits", 1, ["digits holds no persons in poses", "figures does"]),
    ("train pg2 --data kittens-edges", 1, ["kittens-edges holds no persons", "joints.csv"]),
    ("train pg2 --data moving-digits", 1, ["moving-digits holds no persons in poses"]),
    ("train pg2 --data oracle", 1, ["oracle holds sentences"]),
    ("train pg2 --data mixed", 1, ["holds no joints.csv", "picture,joint,x,y"]),
    ("train pg2 --data file.txt", 1, ["file.txt is a file", "a folder that holds persons"]),
    ("train pg2 --data nowhere", 1, ["nowhere", "figures", "there is no such file or folder"]),
    ("train pg2 --size 24", 1, ["figures are drawn at 16x16, 32x32", "--size 24x24"]),
    ("train pg2 --blocks 0", 1, ["--blocks 0 must be at least 1"]),
    ("train pg2 --blocks 7 --size 32", 1, ["G1, of 7 blocks,", "32x32 cannot be", "64x64"]),
    ("train pg2 --bottleneck 0", 1, ["--bottleneck 0 must be at least 1"]),
    ("train pg2 --width 0", 1, ["--width 0 must be at least 1"]),
    ("train pg2 --width-D 0", 1, ["--width-D 0 must be at least 1"]),
    ("train pg2 --stage-steps -1", 1, ["--stage-steps -1 must be at least 0"]),
    ("train pg2 --weight-mask -1", 1, ["--weight-mask -1.0 must be at least 0 and finite"]),
    ("train pg2 --weight-l1 nan", 1, ["--weight-l1 nan must be at least 0 and finite"]),
    ("train pg2 --channels 2", 1, ["channels", "1", "3"]),
    ("train pg2 --objective wasserstein", 1, ["wasserstein has no", "another objective"]),
    ("train pix2pix --data figures", 1, ["figures holds persons in two poses", "train pg2"]),
    ("train dcgan --data figures", 1, ["figures holds persons in two poses", "train pg2"]),
    ("train srgan --data figures", 1, ["figures holds persons in two poses", "train pg2"]),
    ("train next-frame --data figures", 1, ["figures holds no clips"]),
    ("train segan --data figures", 1, ["figures holds no speech"]),
    ("train seqgan --data figures", 1, ["figures holds no sentences"]),
    ("train gan-cls --data figures", 1, ["figures"]),
    ("train dcgan --prior cauchy", 2, ["'--prior'", "'uniform', 'normal'"]),
    ("train dcgan --k 0", 1, ["k=0", "at least 1"]),
    ("train dcgan --z-dim 0", 1, ["z_dim=0 must be at least 1"]),
    ("train dcgan --ema 1", 1, ["EMA decay=1.0 must lie in [0, 1)"]),
    ("train dcgan --ema -0.5", 1, ["EMA decay=-0.5 must lie in [0, 1)"]),
    ("train dcgan --width 0", 1, ["--width 0 must be at least 1"]),
    ("train gan --hidden-G 8,x", 2, ["'--hidden-G'", "'8,x' is not a list of whole numbers"]),
    ("train gan --hidden-G 8,0", 1, ["--hidden-G 8,0", "at least 1 unit"]),
    ("train gan --hidden-D -1", 1, ["--hidden-D -1", "at least 1 unit"]),
    ("train gan --pieces 1", 1, ["num_pieces=1 must lie in [2,"]),
    ("train gan --dropout 1", 1, ["dropout p=1.0 must lie in [0, 1)"]),
    ("train gan --dropout -1", 1, ["dropout p=-1.0 must lie in [0, 1)"]),
    ("train dcgan --width 1000000000", 1, ["not enough memory", "try a smaller", "--width"]),
    ("train dcgan --batch 10000000000000", 1, ["not enough memory", "--batch"]),
    # sizes and channels
    ("train dcgan --size big", 1, ["--size big", "N or HxW", "e.g. 32"]),
    ("train dcgan --size 8x8x8", 1, ["--size 8x8x8", "N or HxW"]),
    ("train dcgan --size 0", 1, ["size 0", "1 or more"]),
    ("train dcgan --size 30", 1, ["30x30", "nearest legal sizes: 28x28 and 32x32", "(--size)"]),
    (
        "train dcgan --data odd.npz",
        1,
        ["18x30", "nearest legal sizes: 14x30 and 16x28", "(--size)"],
    ),
    ("train dcgan --size 8x16", 1, ["kittens are square, give one side"]),
    ("train dcgan --size 1000", 1, ["kittens of size 1000", "from 8 to 64"]),
    ("train dcgan --channels 2", 1, ["channels 2: give 1 (grey) or 3 (colour)"]),
    ("train dcgan --channels 0", 1, ["--channels 0 must be at least 1"]),
    ("train dcgan --data ring", 1, ["dcgan makes pictures", "points of shape (2,)", "use gan"]),
    ("train gan --data ring --size 8", 1, ["ring holds points", "leave --size out"]),
    # data
    ("train dcgan --data empty", 1, ["no pictures in", "empty: put png, jpg"]),
    ("train dcgan --data /gone/away", 1, ["--data /gone/away: there is no such file or folder"]),
    ("train dcgan --data mixed", 1, ["pictures of 2 sizes, 8x8 (2), 7x9 (1)", "give --size"]),
    ("train dcgan --data torn --strict --batch 2", 1, ["3 of 10 pictures cannot be read", "3.png"]),
    ("train dcgan --data hopeless", 1, ["1 of 1 pictures cannot be read", "repair or remove"]),
    ("train dcgan --data bomb", 1, ["1 of 1 pictures", "a.png", "decompression bomb"]),
    ("train gan --data ''", 1, ["--data '' names no data", "or leave it out"]),
    ("train gan --data ~nosuch/x", 1, ["unknown data '~nosuch/x'", "no such file"]),
    ("train gan --data " + "x" * 300, 1, ["unknown data 'xxx", "no such file"]),
    ("train gan --data nan.npz", 1, ["nan.npz: 100 values are NaN or infinite"]),
    ("train gan --data whole.npz", 1, ["whole.npz", "dtype int64", "uint8 or a float type"]),
    ("train gan --data bright.npz", 1, ["bright.npz", "from 200 to 200", "floats in [-1, 1]"]),
    ("train gan --data deep.npz", 1, ["deep.npz", "(50, 2, 2, 2, 2)", "pictures (N, H, W)"]),
    ("train gan --data thick.npz", 1, ["thick.npz", "1 or 3 channels"]),
    ("train gan --data torn.npz", 1, ["torn.npz is no npz archive", "numpy.savez"]),
    ("train gan --data few.npz --batch 8", 1, ["batch size 8", "5 examples", "5 or less"]),
    (
        "train gan --data few.npz --batch 3 --k 2",
        1,
        ["--batch 3", "--k 2", "6 examples", "5 examples of"],
    ),
    # places
    ("train dcgan --size 8 --out /dev/null/x", 1, ["/dev/null/x", "Not a directory", "another"]),
    ("train dcgan --size 8 --out file.txt", 2, ["'--out'", "file.txt"]),
    ("train dcgan --size 8 --out empty/../mixed", 1, ["mixed exists already; choose another"]),
    ("sample mixed --out x.jpg", 1, ["x.jpg", ".png or .npz", "--single"]),
    ("sample mixed --bars 0 --out x.png", 2, ["'--bars'", "x>=1"]),
    ("sample mixed --tempo 0 --out x.mid", 2, ["'--tempo'", "x>=1"]),
    ("sample mixed --out x", 1, ["--out x", ".png or .npz"]),
    ("sample mixed", 2, ["Missing option '--out'"]),
    ("sample mixed --n 0 --out x.png", 2, ["'--n'", "x>=1"]),
    ("sample mixed --seed -1 --out x.png", 2, ["'--seed'", "x>=0"]),
    ("sample mixed --columns 0 --out x.png", 2, ["'--columns'", "x>=1"]),
    ("sample mixed --interpolate 1 --out x.png", 2, ["'--interpolate'", "x>=2"]),
    ("report mixed --serve=0 --out x.html", 1, ["--serve shows the page", "leave out --out, or"]),
    ("resume mixed --steps -1", 2, ["'--steps'", "x>=0"]),
]


def listing(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize(("command", "code", "words"), REFUSED, ids=lambda v: str(v)[:60])
def test_refused(minigan: Command, place: Path, command: str, code: int, words: list[str]) -> None:
    before = listing(place)
    result = minigan(*split(command))
    message = error_line(result.err)
    assert result.code == code
    assert result.out == ""
    assert [word for word in words if word not in message] == []
    assert listing(place) == before


@pytest.mark.parametrize(
    "command",
    [
        "trian",
        "train dcgan --witdh 3",
        "train dcgan --size 30",
        "train gan --data nan.npz",
        "train dcgan --data torn --strict",
        "train dcgan --size 8 --out /dev/null/x",
    ],
)
def test_refused_by_the_real_command(minigan: Command, place: Path, command: str) -> None:
    """A process of its own ends with the same code and line."""
    before = listing(place)
    result = run(*split(command), cwd=place)
    assert result == minigan(*split(command))
    assert len(result.err.splitlines()) == 1
    assert listing(place) == before


@pytest.mark.parametrize("command", ["trian", "train dcgan --batch 0", "train dcgan --data empty"])
def test_debug_raises(place: Path, command: str) -> None:
    from minigan.cli import main

    with pytest.raises(Exception, match=r"unknown|at least|no pictures"):
        main([*split(command), "--debug"])


# --- data that is used only in part ---------------------------------------------------------------


def test_damaged_pictures_are_left_out_with_one_line(minigan: Command, place: Path) -> None:
    train = split("train dcgan --data torn --batch 2 --width 2 --steps 1 --out run")
    result = minigan(*train)
    assert result.code == 0
    warnings = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 2
    torn = str(place / "torn")
    assert warnings[0].startswith(f"warning: {torn}: 3 of 10 pictures cannot be read and are left")
    assert "3.png" in warnings[0]
    assert warnings[0].endswith("and 2 more; repair or remove them")
    assert "7 examples make only 3 batches of 2" in warnings[1]
    real = run("resume", "run", cwd=place)
    assert real.code == 0
    assert real.err.splitlines() == [warnings[0]]


# --- things that go wrong in the middle of a run --------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        [*DCGAN, "--optimizer", "sgd", "--lr", "1e30"],
        [*POINTS, "--lr", "1e25"],
        [*POINTS, "--optimizer", "sgd", "--lr", "1e38"],
    ],
    ids=["dcgan", "momentum", "at once"],
)
def test_numbers_that_run_away(minigan: Command, place: Path, options: list[str]) -> None:
    train = ["train", *options, "--steps", 20, "--sample-every", 100, "--checkpoint-every", 1]
    result = minigan(*train, "--out", "run")
    assert result.code == 1
    message = error_line(result.err)
    assert message.startswith("step ")
    assert any(f"the loss of {n} is" in message or f"of {n}'s parameter" in message for n in "GD")
    assert "'s parameter " in message
    assert "(" in message.split("'s parameter ")[1]  # the layer, as it is made
    assert "start again with lower rates, such as --lr 0." in message
    assert message.endswith(", or --clip-norm 1")
    last = numbers(Path("run"), "checkpoints/*.json")[-1]
    assert f"The checkpoint of step {last} is good" in message
    assert list(Path("run").rglob("*.unfinished")) == []
    assert minigan("sample", "run", "--from", 0, "--out", "x.npz").code == 0


def test_an_existing_run_is_not_overwritten(minigan: Command, place: Path) -> None:
    train = ["train", *DCGAN, "--steps", 0, "--out", "run"]
    assert minigan(*train).code == 0
    before = contents(Path("run"))
    result = minigan(*train)
    assert result.code == 1
    assert error_line(result.err) == (
        "run exists already; choose another --out, or go on with `minigan resume run`"
    )
    assert contents(Path("run")) == before


@pytest.mark.parametrize("out", ["/dev/null/x.png", "/dev/null/x.npz", "/proc/x.png"])
def test_samples_that_cannot_be_written(minigan: Command, perceptrons: Path, out: str) -> None:
    before = contents(perceptrons)
    result = minigan("sample", perceptrons, "--n", 1, "--out", out)
    assert result.code == 1
    assert "choose another place" in error_line(result.err)
    assert contents(perceptrons) == before


def test_names_that_are_no_text(minigan: Command, place: Path, tmp_path: Path) -> None:
    """Bytes that are no UTF-8, in the names of data, its classes and a run."""
    for i in range(4):
        picture(Path(f"d\udcff/class \udcfe {i % 2}/{i}.png"))
    train = split("train cgan --batch 2 --steps 1 --data d\udcff --out r\udcff")
    assert minigan(*train).out == "1 step done: look at r\\udcff/report.html\n"
    for command in ("report r\udcff", "export r\udcff --onnx \udcff.onnx --network D"):
        assert minigan(*split(command)).code == 0
    assert r"d\udcff" in Path("r\udcff/report.html").read_text()


def test_a_folder_is_no_code(minigan: Command, perceptrons: Path, place: Path) -> None:
    """The script of --torch names the run's folder, whatever that is called."""
    run = Path(shutil.copytree(perceptrons, 'a""" \\N b'))
    assert minigan("export", run, "--torch", "G.safetensors").code == 0
    compile(Path("G.py").read_text(), "G.py", "exec")


def test_a_message_stays_on_its_line_whatever_the_file_is_called(
    minigan: Command, place: Path
) -> None:
    Path("a\nb").mkdir()
    result = minigan("train", "dcgan", "--data", "a\nb")
    assert "no pictures in" in error_line(result.err)
