import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import CHAT_TEMPLATE
from transformers import AutoTokenizer

from knowpack.errors import DataError
from knowpack.prompts import SHOTS, Prompter, draw_shots, pool_of, read_pool, shots_by_prompt
from knowpack.tables import read_table, write_table

SYSTEM = "Answer the following question."
SHOT = [("Who wrote Emma?", "Jane Austen")]
QUESTION, ANSWER = "Où est Lyon?", "France"
POOL = [(f"q{number}", f"a{number}") for number in range(12)]
REFUSES = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
DROPS = (
    "{{ bos_token }}{% for message in messages if message['role'] != 'system' %}"
    "<|{{ message['role'] }}|>{{ message['content'] }}<eot>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


loaded = cache(AutoTokenizer.from_pretrained)


@pytest.fixture
def tokenizer(chat_model: Path):
    return AutoTokenizer.from_pretrained(chat_model)


def decoded(tokenizer, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=False)


# --- the texts that a model sees


def test_a_text_prompt(text_model: Path):
    tokenizer = AutoTokenizer.from_pretrained(text_model)
    prompter = Prompter(tokenizer, SYSTEM, "auto")
    ids = prompter.prompt_ids(SHOT, QUESTION)
    text = "Question: Who wrote Emma?\nAnswer: Jane Austen\nQuestion: Où est Lyon?\nAnswer:"
    assert decoded(tokenizer, ids) == f"<bos>{text}"
    assert ids[0] == tokenizer.bos_token_id == 1
    assert len(ids) == 1 + len(text.encode())
    assert ids.count(1) == 1
    assert prompter.stop == ["\n"]


def test_a_text_row(text_model: Path):
    tokenizer = AutoTokenizer.from_pretrained(text_model)
    prompter = Prompter(tokenizer, SYSTEM, "text")
    ids, prompt = prompter.row_ids(QUESTION, ANSWER)
    assert decoded(tokenizer, ids[:prompt]) == "<bos>Question: Où est Lyon?\nAnswer:"
    assert decoded(tokenizer, ids[prompt:]) == " France\n"


def test_a_chat_prompt(tokenizer):
    prompter = Prompter(tokenizer, SYSTEM, "auto")
    ids = prompter.prompt_ids(SHOT, QUESTION)
    assert decoded(tokenizer, ids) == (
        "<bos><|system|>Answer the following question.<eot>"
        "<|user|>Question: Who wrote Emma?<eot><|assistant|>Answer: Jane Austen<eot>"
        "<|user|>Question: Où est Lyon?<eot><|assistant|>"
    )
    assert ids[0] == 1
    assert ids.count(1) == 1
    assert prompter.stop == []


def test_a_chat_row(tokenizer):
    ids, prompt = Prompter(tokenizer, SYSTEM, "chat").row_ids(QUESTION, ANSWER)
    assert decoded(tokenizer, ids[:prompt]) == (
        "<bos><|system|>Answer the following question.<eot>"
        "<|user|>Question: Où est Lyon?<eot><|assistant|>"
    )
    assert decoded(tokenizer, ids[prompt:]) == "Answer: France<eot>"
    assert ids[-1] == tokenizer.convert_tokens_to_ids("<eot>")


def test_token_ids_are_pinned(tokenizer):
    """The tiny tokenizer: 7 special tokens, then the 256 bytes in the order of their letters."""
    ids, prompt = Prompter(tokenizer, "S", "chat").row_ids("Q", "A")
    text = {letter: tokenizer.convert_tokens_to_ids(letter) for letter in "QuestionAw:rS"}
    assert (text["A"], text["Q"], text["S"]) == (39, 55, 57)  # 7, and 32 printable ones before A
    spell = [text[letter] for letter in "Question:"]
    space = tokenizer.convert_tokens_to_ids("Ġ")
    head = [1, 4, 57, 3, 5, *spell, space, 55, 3, 6]
    assert (ids[:prompt], prompt) == (head, 18)
    assert ids[prompt:] == [*[text[letter] for letter in "Answer:"], space, 39, 3]


@pytest.mark.parametrize("template", [REFUSES + CHAT_TEMPLATE, DROPS], ids=["refuses", "drops"])
def test_a_template_without_a_system_turn_gets_it_in_the_first_user_turn(tokenizer, template):
    tokenizer.chat_template = template
    prompter = Prompter(tokenizer, SYSTEM, "chat")
    assert decoded(tokenizer, prompter.prompt_ids(SHOT, QUESTION)) == (
        "<bos><|user|>Answer the following question.\n\nQuestion: Who wrote Emma?<eot>"
        "<|assistant|>Answer: Jane Austen<eot><|user|>Question: Où est Lyon?<eot><|assistant|>"
    )
    ids, _ = prompter.row_ids(QUESTION, ANSWER)
    assert decoded(tokenizer, ids) == (
        "<bos><|user|>Answer the following question.\n\nQuestion: Où est Lyon?<eot>"
        "<|assistant|>Answer: France<eot>"
    )


def test_a_row_ends_with_the_turn_where_the_template_adds_a_line_break(tokenizer):
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<eot>", "<eot>\n")
    prompter = Prompter(tokenizer, SYSTEM, "chat")
    ids, prompt = prompter.row_ids(QUESTION, ANSWER)
    assert decoded(tokenizer, ids[prompt:]) == "Answer: France<eot>"
    assert ids[:prompt] == prompter.prompt_ids([], QUESTION)


def test_the_day_is_always_the_same_in_templates_that_name_it(tokenizer):
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }}" + CHAT_TEMPLATE
    ids = Prompter(tokenizer, SYSTEM, "chat").prompt_ids([], QUESTION)
    assert decoded(tokenizer, ids).startswith("26 Jul 2024<bos>")


def test_plain_text_can_be_asked_of_a_chat_model(tokenizer):
    ids = Prompter(tokenizer, SYSTEM, "text").prompt_ids([], "Q?")
    assert decoded(tokenizer, ids) == "<bos>Question: Q?\nAnswer:"


def test_chat_needs_a_template(text_model: Path):
    prompter = Prompter(AutoTokenizer.from_pretrained(text_model), SYSTEM, "chat")
    with pytest.raises(DataError) as caught:
        prompter.prompt_ids([], "Q?")
    assert str(caught.value) == "models: this model has no chat template; write 'prompt: text'"


def test_a_template_that_rewrites_a_prompt_once_answered_is_refused(tokenizer):
    tokenizer.chat_template = "{{ messages | length }}" + CHAT_TEMPLATE
    with pytest.raises(DataError) as caught:
        Prompter(tokenizer, SYSTEM, "chat").row_ids(QUESTION, ANSWER)
    assert str(caught.value) == "models: the chat template changes a prompt once it is answered"


def test_tokens_never_merge_across_the_seam(text_model: Path):
    """A tokenizer that has one token for the prompt's end and the answer's beginning."""
    tokenizer = AutoTokenizer.from_pretrained(text_model)
    tokenizer.add_tokens([": F"])
    prompter = Prompter(tokenizer, SYSTEM, "text")
    ids, prompt = prompter.row_ids("Q?", "France")
    assert ids[:prompt] == prompter.prompt_ids([], "Q?")
    assert decoded(tokenizer, ids[prompt:]) == " France\n"


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(question=TEXTS, answer=TEXTS.filter(str.strip))
def test_a_row_is_the_prompt_as_asked_the_answer_and_an_end(chat_model, question, answer):
    tokenizer = loaded(chat_model)
    for style, start, end in [("chat", "Answer: ", "<eot>"), ("text", " ", "\n")]:
        prompter = Prompter(tokenizer, SYSTEM, style)
        ids, prompt = prompter.row_ids(question, answer)
        assert ids[:prompt] == prompter.prompt_ids([], question)
        assert decoded(tokenizer, ids[prompt:]) == f"{start}{answer}{end}"


# --- few-shot examples


def shots(count=3, number=4, seed=42, pool=POOL, questions=()) -> pd.DataFrame:
    return draw_shots(pool, questions, count, number, seed)


def test_each_prompt_shows_its_own_examples_without_repeats():
    table = shots()
    assert list(table.columns) == SHOTS.names
    assert table.prompt.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert table.position.tolist() == [0, 1, 2, 3] * 3
    assert set(zip(table.question, table.answer, strict=True)) <= set(POOL)
    assert not table.duplicated(["prompt", "question"]).any()
    shown = shots_by_prompt(table, 3)
    assert len({tuple(prompt) for prompt in shown}) == 3


def test_more_prompts_keep_the_others():
    pd.testing.assert_frame_equal(shots(count=9)[:12], shots(count=3))


def test_the_seed_decides():
    pd.testing.assert_frame_equal(shots(), shots())
    assert not shots().equals(shots(seed=43))


def test_a_studied_question_is_never_shown():
    questions = [" Q1 ", "q2", "Q3"]
    table = shots(count=60, questions=questions)
    assert set(table.question) == {f"q{number}" for number in (0, *range(4, 12))}


def test_facts_as_a_pool_show_their_label_whatever_the_order_of_their_rows():
    facts = pd.DataFrame(
        {
            "fact_id": [f"{number:02}" for number in range(12)],
            "question": [question for question, _ in POOL],
            "answers": [[answer, "alias"] for _, answer in POOL],
        }
    )
    assert pool_of(facts) == POOL
    mixed = facts.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(shots(pool=pool_of(mixed)), shots())


def test_an_example_that_the_pool_holds_twice_is_shown_once():
    table = shots(count=30, pool=POOL[:4] * 3)
    assert not table.duplicated(["prompt", "question"]).any()


def test_a_pool_that_is_too_small():
    with pytest.raises(DataError) as caught:
        shots(number=11, questions=["q1", "q2"])
    assert str(caught.value) == (
        "prompts.shots: 11 examples are asked for, but the pool has 10 that are not studied facts; "
        "lower 'shots' or add lines to the pool"
    )


@pytest.mark.parametrize(("count", "number"), [(3, 4), (2, 0)])
def test_examples_survive_a_file(tmp_path: Path, count, number):
    table = shots(count, number)
    write_table(table, tmp_path / "shots.parquet", SHOTS)
    back = shots_by_prompt(read_table(tmp_path / "shots.parquet"), count)
    assert back == shots_by_prompt(table, count)
    assert [len(prompt) for prompt in back] == [number] * count


def test_examples_stand_by_position_whatever_the_order_of_the_rows():
    assert shots_by_prompt(shots().sample(frac=1, random_state=1), 3) == shots_by_prompt(shots(), 3)


def test_a_pool_is_read_line_by_line(tmp_path: Path):
    path = tmp_path / "pool.jsonl"
    lines = [
        {"question": " Où? ", "answer": "là\n"},
        {"question": "a\u2028b", "answer": "c", "x": 1},
    ]
    text = "\r\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_bytes(text.encode())
    assert read_pool(path) == [("Où?", "là"), ("a\u2028b", "c")]


@pytest.mark.parametrize(
    "line",
    ["", "no", "[]", "3", '{"question": "q"}', '{"question": "q", "answer": 3}']
    + ['{"question": "q", "answer": " "}', '{"question": "q", "answer": null}'],
)
def test_a_line_that_is_no_example(tmp_path: Path, line):
    path = tmp_path / "pool.jsonl"
    path.write_text('{"question": "q", "answer": "a"}\n' + line + "\n")
    with pytest.raises(DataError) as caught:
        read_pool(path)
    assert str(caught.value) == f'{path}, line 2: write {{"question": "...", "answer": "..."}}'


def test_a_line_that_is_not_utf_8(tmp_path: Path):
    path = tmp_path / "pool.jsonl"
    path.write_bytes('{"question": "Où", "answer": "a"}'.encode("latin-1"))
    with pytest.raises(DataError, match="line 1"):
        read_pool(path)


def test_a_pool_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        read_pool(tmp_path / "pool.jsonl")
    assert str(caught.value) == (
        f"prompts.pool: there is no file {tmp_path}/pool.jsonl; write the path of a JSON lines file"
    )
