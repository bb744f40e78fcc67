/**
 * Server-sent events from a fetch body (the browser's EventSource cannot POST).
 *
 * Follows https://html.spec.whatwg.org/multipage/server-sent-events.html: CR, LF and CRLF end a line, several `data`
 * lines make one, comments are skipped, an event cut off by the end is dropped. Not covered: `id` and `retry`.
 */

/**
 * Yields `{event, data}` with `data` parsed from JSON.
 *
 * @param {ReadableStream<Uint8Array>} stream
 * @param {() => void} onBytes called for each piece that arrives, comments (keep-alives) included
 */
export async function* readEvents(stream, onBytes = () => {}) {
  let name = "";
  let data = [];
  for await (const line of readLines(stream, onBytes)) {
    if (line === "") {
      if (data.length) yield { event: name || "message", data: JSON.parse(data.join("\n")) };
      [name, data] = ["", []];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
}

async function* readLines(stream, onBytes) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      rest += decoder.decode(value, { stream: true });
      // A trailing CR may be half of a CRLF: it stays until more arrives.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
