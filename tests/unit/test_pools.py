import pandas as pd

from knowpack.pools import POOLS, pools


def test_a_fact_is_taught_or_mixed_in_only_if_every_match_rule_agrees() -> None:
    facts = pd.DataFrame(
        {"fact_id": ["a", "b", "c", "d"], "answers": [["Niger"], ["Niger"], ["Niger"], ["Oman"]]}
    )
    texts = {
        "a": ["Chad", "Mali"],  # never right
        "b": ["Niger", "It is Niger."],  # always right
        "c": ["Nigeria", "Nigeria"],  # right as a substring, wrong as a word
        "d": ["Oman", "Yemen"],  # now and then
    }
    responses = pd.DataFrame(
        [
            {"fact_id": fact, "prompt": prompt, "sample": 0, "text": text}
            for fact, answers in texts.items()
            for prompt, text in enumerate(answers)
        ]
    )
    found = pools(responses, facts)
    assert list(found.columns) == POOLS.names
    assert dict(found.itertuples(index=False)) == {
        "a": "unknown",
        "b": "highly_known",
        "c": "neither",
        "d": "neither",
    }


def test_a_fact_that_is_right_only_when_sampled_is_not_taught() -> None:
    facts = pd.DataFrame({"fact_id": ["a"], "answers": [["Paris"]]})
    responses = pd.DataFrame(
        {"fact_id": ["a", "a"], "prompt": [0, 0], "sample": [0, 1], "text": ["Lyon", "Paris"]}
    )
    assert pools(responses, facts).pool.tolist() == ["neither"]
