"""Names that invented people bear, in the script they are written in and in plain letters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Office:
    """A place of work, and the given and family names that are usual there."""

    location: str
    country: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """``Zoë/zoe Bob`` as pairs of a name and its plain form."""
    found = []
    for word in text.split():
        name, _, plain = word.partition("/")
        found.append((name, plain or name.lower()))
    return tuple(found)


OFFICES = (
    Office(
        "Austin",
        "US",
        _pairs("Maria Hannah Dwight Ruth Caleb Naomi Owen Tess José/jose Chloë/chloe Amir Grace"),
        _pairs("Hollis Whitaker O'Dell/odell Barnes Quigley Nuñez/nunez Marsh Pruitt Vance Ames"),
    ),
    Office(
        "Berlin",
        "DE",
        _pairs(
            "Zoë/zoe Jörg/joerg Anja Uwe Käthe/kaethe Björn/bjoern Ilse Timo Mareike Jürgen/juergen"
        ),
        _pairs(
            "Müller/mueller Groß/gross Weiß/weiss Schäfer/schaefer Vogt Lindner Böhm/boehm Kraus"
        ),
    ),
    Office(
        "Sydney",
        "AU",
        _pairs("Lachlan Isla Cooper Matilda Angus Sienna Hamish Freya Darcy Imogen"),
        _pairs("Nguyen MacLeod/macleod Fitzroy Hargrave Tanner Pemberton Ashby Doyle Rowe"),
    ),
    Office(
        "Kraków",
        "PL",
        _pairs("Łukasz/lukasz Małgorzata/malgorzata Zbigniew Agnieszka Żaneta/zaneta"),
        _pairs("Wójcik/wojcik Dąbrowski/dabrowski Kowalczyk Źródło/zrodlo Śliwa/sliwa Nowak"),
    ),
    Office(
        "Athens",
        "GR",
        _pairs("Ελένη/eleni Νίκος/nikos Δήμητρα/dimitra Γιώργος/giorgos Κατερίνα/katerina"),
        _pairs("Παππάς/pappas Οικονόμου/oikonomou Βλάχος/vlachos Αγγελίδης/angelidis"),
    ),
    Office(
        "Sofia",
        "BG",
        _pairs("Иван/ivan Цветана/tsvetana Георги/georgi Юлия/yulia Стоян/stoyan Мария/maria"),
        _pairs("Петров/petrov Димитрова/dimitrova Щерев/shterev Колева/koleva Янков/yankov"),
    ),
    Office(
        "Tokyo",
        "JP",
        _pairs("陽菜/hina 健太/kenta さくら/sakura 大輔/daisuke ユキ/yuki 美咲/misaki"),
        _pairs("佐藤/sato 鈴木/suzuki 高橋/takahashi 渡辺/watanabe 小林/kobayashi"),
    ),
    Office(
        "Seoul",
        "KR",
        _pairs("민준/minjun 서연/seoyeon 지호/jiho 하은/haeun 도윤/doyun"),
        _pairs("김/kim 이/lee 박/park 최/choi 정/jung"),
    ),
    Office(
        "Cairo",
        "EG",
        _pairs("ليلى/layla عمر/omar ياسمين/yasmin كريم/karim نور/nour"),
        _pairs("حسن/hassan منصور/mansour الشريف/elsherif فاروق/farouk سليم/selim"),
    ),
    Office(
        "Pune",
        "IN",
        _pairs("अनिका/anika रोहन/rohan मीरा/meera अर्जुन/arjun काव्या/kavya"),
        _pairs("शर्मा/sharma पाटिल/patil देशमुख/deshmukh जोशी/joshi कुलकर्णी/kulkarni"),
    ),
    Office(
        "Lisbon",
        "PT",
        _pairs("João/joao Inês/ines Tomás/tomas Beatriz Gonçalo/goncalo Conceição/conceicao"),
        _pairs("Simões/simoes Araújo/araujo Magalhães/magalhaes Teixeira Brandão/brandao"),
    ),
)
