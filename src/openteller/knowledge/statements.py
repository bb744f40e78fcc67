"""The one SQL statement of hybrid retrieval.

Who may read and what is valid is part of every search over passages, so that nothing else takes a place among the
candidates. Steps:

    nearest    passages nearest to the query by cosine (HNSW, over-fetched; the scan goes on until enough pass)
    matches    which groups hold which of the query's terms (GIN)
    weights    of a term: ln(1 + documents / groups that hold it), so that rare words count
    coverage   a group's lexical score: the share of the query's weight that it holds, 0 to 1
    candidates groups of the nearest passages, and those of the best coverage
    scored     every passage of the candidates with its exact cosine
    standing   the candidates' best cosines: over all, over questions and title, over the body
    evidence   a group's semantic score: 0.7 × the cosine of its best question (or title) + 0.3 × that of its best body
    fused      relative score fusion: the semantic score scaled to 0–1 over the candidates, plus 0.45 × coverage, / 1.45

Measured with the shipped encoder, right group first: 826 questions on the demo bank .87 with equal weights of question and
body, .88 with 0.7 and 0.3; 92 on a foreign bank's FAQ .60 and .67 (lab/LOG.md). Terms are matched by group, not by passage:
what a question asks is spread over a group's questions and its answer.
"""

_VISIBLE = """
    d.status = 'active'
    AND d.audience = ANY(CAST(:audiences AS text[]))
    AND (d.valid_from IS NULL OR d.valid_from <= :on)
    AND (d.valid_to IS NULL OR d.valid_to >= :on)
    AND d.document_id <> ALL (ARRAY(SELECT supersedes FROM superseded))
"""

SEARCH = f"""
WITH superseded AS MATERIALIZED (
    SELECT s.supersedes FROM documents s
    WHERE s.supersedes IS NOT NULL AND s.status = 'active'
      AND (s.valid_from IS NULL OR s.valid_from <= :on) AND (s.valid_to IS NULL OR s.valid_to >= :on)
), nearest AS (
    SELECT d.group_id FROM passages p JOIN documents d ON d.document_id = p.document_id
    WHERE {_VISIBLE}
    ORDER BY p.embedding <=> CAST(:vector AS vector) LIMIT :passages
), matches AS (
    SELECT DISTINCT q.query, d.group_id
    FROM unnest(CAST(:queries AS text[])) AS q (query)
    JOIN passages p ON p.lexemes @@ CAST(q.query AS tsquery)
    JOIN documents d ON d.document_id = p.document_id
    WHERE {_VISIBLE}
), weights AS (
    SELECT q.query, ln(1 + (SELECT count(*) FROM documents)::float8 / greatest(count(m.group_id), 1)) AS weight
    FROM unnest(CAST(:queries AS text[])) AS q (query) LEFT JOIN matches m ON m.query = q.query
    GROUP BY q.query
), coverage AS (
    SELECT m.group_id, least(sum(w.weight) / (SELECT sum(weight) FROM weights), 1) AS lexical
    FROM matches m JOIN weights w ON w.query = m.query
    GROUP BY m.group_id
), candidates AS (
    SELECT group_id FROM nearest
    UNION
    (SELECT group_id FROM coverage ORDER BY lexical DESC, group_id LIMIT :groups)
), scored AS MATERIALIZED (
    SELECT d.group_id, d.document_id, d.language, p.kind, p.ordinal, p.text,
        1 - (p.embedding <=> CAST(:vector AS vector)) AS cosine
    FROM candidates c
    JOIN documents d ON d.group_id = c.group_id
    JOIN passages p ON p.document_id = d.document_id
    WHERE {_VISIBLE}
), standing AS (
    SELECT s.group_id, max(s.cosine) AS dense,
        max(s.cosine) FILTER (WHERE s.kind <> 'body') AS question_dense,
        max(s.cosine) FILTER (WHERE s.kind = 'body') AS body_dense
    FROM scored s GROUP BY s.group_id
), evidence AS (
    SELECT t.*, coalesce(c.lexical, 0) AS lexical,
        0.7 * coalesce(t.question_dense, t.body_dense) + 0.3 * coalesce(t.body_dense, t.question_dense) AS semantic
    FROM standing t LEFT JOIN coverage c ON c.group_id = t.group_id
), fused AS (
    SELECT e.*, (coalesce(
        (e.semantic - min(e.semantic) OVER ()) / nullif(max(e.semantic) OVER () - min(e.semantic) OVER (), 0), 1
    ) + 0.45 * e.lexical) / 1.45 AS fused
    FROM evidence e
), best AS (
    SELECT * FROM fused ORDER BY fused DESC, semantic DESC, group_id LIMIT :limit
), shown AS (
    SELECT DISTINCT ON (s.group_id) s.group_id, s.document_id, s.text AS passage, s.kind AS passage_kind
    FROM scored s JOIN best b ON b.group_id = s.group_id
    ORDER BY s.group_id, s.language = :language DESC, s.cosine DESC, s.document_id, s.ordinal
), bodies AS (
    SELECT DISTINCT ON (s.document_id) s.document_id, s.text AS evidence
    FROM scored s JOIN shown h ON h.document_id = s.document_id
    WHERE s.kind = 'body'
    ORDER BY s.document_id, s.cosine DESC, s.ordinal
), questions AS (
    SELECT s.document_id, array_agg(s.text ORDER BY s.ordinal) AS questions
    FROM scored s JOIN shown h ON h.document_id = s.document_id
    WHERE s.kind = 'question'
    GROUP BY s.document_id
)
SELECT d.document_id, d.title, d.language, d.group_id, d.audience, d.category, d.intent, d.products, d.source_uri,
    d.media_type, d.valid_from, d.valid_to, d.supersedes, d.body, d.answer, d.status, q.questions,
    h.passage, h.passage_kind, o.evidence, b.dense, b.question_dense, b.body_dense, b.lexical, b.fused
FROM best b
JOIN shown h ON h.group_id = b.group_id
JOIN documents d ON d.document_id = h.document_id
LEFT JOIN bodies o ON o.document_id = h.document_id
LEFT JOIN questions q ON q.document_id = h.document_id
ORDER BY b.fused DESC, b.semantic DESC, b.group_id
"""
