"""Nothing of the notes is lost, and every term is explained: the pages `coverage` and `glossary` against the chapters.

The notes themselves are no part of the repository. What is known of them stands here: how many items each group has,
which items the book corrects, and the notes' own Chinese terms.
"""

import re
from functools import cache

import hygiene
import pytest
from test_book import CHAPTERS, ROOT, read

GROUPS = {"GD": 6, "BGD": 4, "SGD": 4, "MBGD": 4, "MOM": 2, "NES": 1, "ADAGRAD": 3, "RMSPROP": 1}
GROUPS |= {"ADADELTA": 2, "ADAM": 3, "ADAMW": 1, "CE": 2, "MEAN": 5, "COV": 2}
ITEMS = [f"{group}-{k}" for group, count in GROUPS.items() for k in range(1, count + 1)]
CORRECTED = {"GD-5", "BGD-3", "SGD-1", "SGD-2", "SGD-3", "MBGD-4", "ADAGRAD-2", "ADAGRAD-3", "RMSPROP-1"}
CORRECTED |= {"ADADELTA-1", "ADAM-2", "ADAM-3", "CE-2", "MEAN-1", "MEAN-2", "MEAN-5", "COV-1"}
WORDS_OF_THE_NOTES = """
梯度下降法 批量梯度下降法 随机梯度下降法 小批量梯度下降法 动量法 一阶动量 二阶动量 动量因子 学习率
自适应矩估计 偏差纠正系数 权重衰减 感知机 激活函数 正向传递 反向传播 损失函数 交叉熵损失函数 二分类 多分类 分割任务
凸函数 均值函数 算术平均数 几何平均数 调和平均数 平方平均数 期望 方差 协方差 协方差函数 相关系数 随机过程 高斯过程
箱型图
"""
SHORTEST, LONGEST = 60, 90  # terms in the glossary
FEWEST, MOST = 3, 9  # terms that a chapter links


@cache
def chapters():
    """Return the Markdown of the numbered chapters by their name."""
    return {path.stem: hygiene.markdown(read(path)) for path in CHAPTERS}


def page(name):
    """Return a page of the reference part."""
    return (ROOT / "chapters" / "reference" / f"{name}.md").read_text(encoding="utf-8")


@cache
def corrected():
    """Return the items that have an entry on the page `errata`."""
    errata = hygiene.markdown(read(ROOT / "chapters" / "reference" / "errata.ipynb"))
    return {target.upper() for target in re.findall(r"^\(errata-([a-z]+-\d+)\)=", errata, re.M)}


# --- coverage -------------------------------------------------------------------------------------------------------
def places(texts):
    """Return the explicit targets of the chapters, each with the chapters that have it."""
    found = {}
    for chapter, text in texts.items():
        for target in re.findall(r"^\(([\w-]+)\)=[ ]*$", text, re.M):
            found.setdefault(target, []).append(chapter)
    return found


def with_formula(texts):
    """Return the targets whose heading holds a formula: a link by the heading's own name would show its TeX."""
    return {t for text in texts.values() for t in re.findall(r"^\(([\w-]+)\)=[ ]*\n+#.*\$", text, re.M)}


def discussed(text):
    """Return the items in the first column of a chapter's table "What the notes say": {item: is it marked?}."""
    section = re.search(r"^## What the notes say$(.*?)(?=^## |\Z)", text, re.M | re.S)
    cells = re.findall(r"^\|([^|]*)\|", section[1] if section else "", re.M)
    return {item: "⚠" in cell for cell in cells for item in re.findall(r"\b[A-Z]+-\d+\b", cell)}


def lost_notes(text, texts):
    """Return what is wrong with the coverage page, given the texts of the chapters."""
    rows = re.findall(r"^\| \*\*([A-Z]+-\d+)\*\*( \{ref\}`⚠ <\S+>`)? ([^|]+) \| ([^|]+) \|$", text, re.M)
    found = [] if [row[0] for row in rows] == ITEMS else ["the items are not those of the notes, each once, in order"]
    found += [f"{item} has more than twelve words" for item, _, short, _ in rows if len(short.split()) > 12]
    marked = {item for item, sign, *_ in rows if sign == f" {{ref}}`⚠ <errata-{item.lower()}>`"}
    found += [f"{item}: no such entry of the errata" for item in sorted(marked - corrected())]
    found += [f"{item}: ⚠ is missing or too many" for item in sorted(marked ^ CORRECTED)]
    for count, sentence in ((len(ITEMS), r"lists their (\d+) items"), (len(CORRECTED), r"There are (\d+) of these")):
        if re.findall(sentence, text) != [str(count)]:
            found.append(f"the opening does not say {count} where it counts")

    alive = places(texts)
    named = {item: re.findall(r"\{(?:num)?ref\}`[^`<]*<([\w-]+)>`", where) for item, *_, where in rows}
    elsewhere = re.findall(r"^\| [a-z A-Z][^|]*\| ([^|]+) \|$", text, re.M)
    named["topics"] = re.findall(r"\{(?:num)?ref\}`[^`<]*<([\w-]+)>`", " ".join(elsewhere))
    for item, targets in named.items():
        found += [f"{item}: no section is named"] * (not targets)
        found += [f"{item}: {t} is in {alive.get(t, 'no chapter')}" for t in targets if len(alive.get(t, [])) != 1]

    by_name = set(re.findall(r"\{name\} <([\w-]+)>", text))
    found += [f"{t}: name the link, for its heading holds a formula" for t in by_name & with_formula(texts)]

    said = {chapter: discussed(chapter_text) for chapter, chapter_text in texts.items()}
    for item in ITEMS:
        linked = {alive[t][0] for t in named.get(item, []) if t in alive}
        if linked != (told := {chapter for chapter in said if item in said[chapter]}):
            found.append(f"{item}: the page leads to {sorted(linked)}, but {sorted(told)} tell it")
    found += [f"{c}: {item} is no item" for c, items in said.items() for item in sorted(items.keys() - set(ITEMS))]
    signs = {item for items in said.values() for item, sign in items.items() if sign}
    return found + [f"the chapters' tables: ⚠ of {item}" for item in sorted(signs ^ CORRECTED)]


def test_every_note_has_its_section():
    problems = lost_notes(page("coverage"), chapters())
    assert not problems, "\n".join(problems)


# --- glossary -------------------------------------------------------------------------------------------------------
def roles(text):
    """Return the terms that a text links."""
    return [term for _, term in re.findall(r"\{term\}`(?:([^`<]*?) <)?([^`<>]+)>?`", text)]


def titles(text):
    """Return the lines that are a heading or open a directive, with its title."""
    return re.findall(r"^(?:#+ |[`:]{3,}\{).*$", text, re.M)


def poor_terms(text, texts):
    """Return what is wrong with the glossary, given the texts of the chapters."""
    block = re.search(r"^```\{glossary\}\n(.*?)^```$", text, re.M | re.S)[1]
    entries = re.findall(r"^(\S.*)\n  (\S[^.]*)\. (.+) → (.+)$", block, re.M)
    terms, chinese = [entry[0] for entry in entries], {entry[1]: entry[0] for entry in entries}
    found = [] if len(terms) == len(re.findall(r"^\S", block, re.M)) else ["an entry lacks its Chinese term or place"]
    found += [] if SHORTEST <= len(terms) <= LONGEST else [f"{len(terms)} terms"]
    found += [] if terms == sorted(set(terms), key=str.casefold) else ["the terms are not in order, or stand twice"]
    found += [f"{term}: {word} is not Chinese" for word, term in chinese.items() if not re.search("[一-鿿]", word)]
    found += [f"{e[0]}: leads nowhere" for e in entries if not re.match(r"\{(?:ref|eq|prf:ref)\}`[\w <>-]+`", e[3])]
    by_name = set(re.findall(r"\{ref\}`([\w-]+)`", block))
    found += [f"{t}: name the link, for its heading holds a formula" for t in by_name & with_formula(texts)]

    table = re.findall(r"^\| (\*\*)?([^|*]*[一-鿿][^|*]*?)(?:\*\*)? \| \{term\}`([^`]+)` \|$", text, re.M)
    if {word: term for _, word, term in table} != chinese or len(table) != len(terms):
        found.append("the table from Chinese to English is not that of the entries")
    words = [word for _, word, _ in table]
    found += [] if words == sorted(words) else ["the Chinese terms are not in order"]
    own = {word for bold, word, _ in table if bold}
    notes = set(WORDS_OF_THE_NOTES.split())
    found += [f"{word}: in bold if and only if it is a word of the notes" for word in sorted(own ^ notes)]

    linked = {chapter: roles(chapter_text) for chapter, chapter_text in texts.items()}
    everywhere = {term for terms_there in linked.values() for term in terms_there}
    found += [f"{term}: no chapter links it" for term in terms if term not in everywhere]
    for chapter, there in linked.items():
        found += [f"{chapter}: {term} is not in the glossary" for term in sorted(set(there) - set(terms))]
        found += [f"{chapter}: links {term} twice" for term in sorted(set(there)) if there.count(term) > 1]
        found += [] if FEWEST <= len(there) <= MOST else [f"{chapter}: links {len(there)} terms"]
        found += [f"{chapter}: a term in a title: {line}" for line in titles(texts[chapter]) if "{term}" in line]
    return found


def test_every_term_is_explained_translated_and_linked():
    problems = poor_terms(page("glossary"), chapters())
    assert not problems, "\n".join(problems)


# --- the two checks see their faults --------------------------------------------------------------------------------
DAMAGE = {  # fault: (page, pattern, what takes its place, part of the message)
    "an item is missing": ("coverage", r"\| \*\*GD-2.*\n", "", "each once"),
    "an item stands twice": ("coverage", r"(\| \*\*COV-2.*\n)", r"\1\1", "each once"),
    "an item is unknown": ("coverage", r"\*\*NES-1", "**NES-2", "each once"),
    "a long item": ("coverage", r"(\*\*GD-6\*\* )", r"\1" + "one " * 12, "twelve words"),
    "a sign is missing": ("coverage", r"(CE-2\*\*) \S+ <errata-ce-2>`", r"\1", "CE-2: ⚠"),
    "a sign too many": ("coverage", r"CE-1\*\*", "CE-1** {ref}`⚠ <errata-ce-1>`", "CE-1: ⚠"),
    "no entry of the errata": ("coverage", r"CE-1\*\*", "CE-1** {ref}`⚠ <errata-ce-1>`", "CE-1: no such entry"),
    "the entry of another item": ("coverage", r"<errata-adam-2>", "<errata-adam-3>", "ADAM-2: ⚠"),
    "a wrong count": ("coverage", r"their \d+ items", "their 41 items", "does not say 40"),
    "a wrong count of corrections": ("coverage", r"are \d+ of these", "are 16 of these", "does not say 17"),
    "a dead target": ("coverage", r"<sec-time>", "<sec-tame>", "sec-tame is in no chapter"),
    "a dead target of a topic": ("coverage", r"<adam-nadam>", "<adam-nodam>", "adam-nodam is in no chapter"),
    "no target": ("coverage", r"(\*\*MOM-2.*) \| .* \|", r"\1 | later |", "MOM-2: no section"),
    "a wrong chapter": ("coverage", r"<nesterov-update>", "<momentum-update>", "NES-1: the page leads to"),
    "a title with a formula": ("coverage", r"\{number\} ε against η", "{number} {name}", "adadelta-epsilon: name"),
    "a title with a formula, too": ("glossary", r"`why divide <adam-bias>`", "`adam-bias`", "adam-bias: name"),
    "terms out of order": ("glossary", r"\nvariance\n", "\nzero variance\n", "not in order"),
    "no Chinese": ("glossary", r"\n  条件数\. ", "\n  number. ", "number is not Chinese"),
    "no place": ("glossary", r" → \{prf:ref\}`lem-descent`", "", "lacks its Chinese term or place"),
    "a place in words": ("glossary", r"\{prf:ref\}`lem-descent`", "the first part", "descent lemma: leads nowhere"),
    "another Chinese": ("glossary", r"\| 条件数 \|", "| 条数 |", "is not that of the entries"),
    "the Chinese out of order": ("glossary", r"(\| 交并比.*\n)(\|.*\n)", r"\2\1", "Chinese terms are not in order"),
    "not bold": ("glossary", r"\*\*学习率\*\*", "学习率", "学习率: in bold"),
    "a term that nobody links": ("glossary", r"\nentropy\n", "\nentropies\n", "entropies: no chapter"),
    "a linked term that is gone": ("glossary", r"\nentropy\n", "\nentropies\n", "binary: entropy is not"),
}


@pytest.mark.parametrize("fault", DAMAGE)
def test_the_check_sees(fault):
    name, pattern, instead, message = DAMAGE[fault]
    damaged, count = re.subn(pattern, instead, page(name), count=1)
    assert count == 1, "nothing was damaged"
    check = {"coverage": lost_notes, "glossary": poor_terms}[name]
    assert any(message in problem for problem in check(damaged, chapters()))


@pytest.mark.parametrize(
    ("check", "name", "chapter", "old", "new", "message"),
    [
        (lost_notes, "coverage", "nesterov", "| NES-1 |", "| NES-1, MOM-1 |", "MOM-1: the page leads to"),
        (lost_notes, "coverage", "nesterov", "| NES-1 |", "| NES-1 ⚠ |", "tables: ⚠ of NES-1"),
        (lost_notes, "coverage", "nesterov", "| NES-1 |", "| NES-1, NES-7 |", "nesterov: NES-7 is no item"),
        (lost_notes, "coverage", "adam", "(adam-speed)=", "(adam-bias)=", "ADAM-2: adam-bias is in ['adam', 'adam']"),
        (poor_terms, "glossary", "adam", "# Adam\n", "# {term}`momentum`\n", "adam: a term in a title"),
        (poor_terms, "glossary", "adam", "# Adam\n", "# Adam\n{term}`x <unbiased estimate>`", "links unbiased"),
        (poor_terms, "glossary", "adadelta", "{term}", "{ref}", "adadelta: links 0 terms"),
    ],
)
def test_the_check_sees_a_fault_of_a_chapter(check, name, chapter, old, new, message):
    text = chapters()[chapter]
    assert old in text
    assert any(message in problem for problem in check(page(name), chapters() | {chapter: text.replace(old, new)}))
