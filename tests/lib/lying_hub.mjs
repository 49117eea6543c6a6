// SPDX-License-Identifier: Apache-2.0
// A hub that lies, for tests: node lying_hub.mjs HUB_URL LIE_FILE
// Prints its port and passes everything on to the hub, but for what LIE_FILE names at the time:
//   omit     dossiers without the newest entry about the analyst
//   rewrite  another text in one entry of the log
//   garbled  runs under way that are no texts
//   fewer    work of later rounds with one site less than the rounds before
//   silent   no work of later rounds: as if the node had gone away in the middle of a run
//   runless  no list of the runs under way
//   fewest   pages of the log with one entry less
//   torn     pages of the log that break off in the middle
//   stall    no answer at all for pages of the log
//   stranger another answer than a hub's
//   older    the first checkpoint that was asked for, again
import { createServer, request } from "node:http";
import { readFileSync } from "node:fs";

const [hub, lieFile] = process.argv.slice(2);
let first = null, gone = false;

// Work items of the node, each replaced by those that `of` makes of it.
function changed(url, body, of) {
  if (!url.startsWith("/api/v1/node/work")) return body;
  const answer = JSON.parse(body);
  return JSON.stringify({ ...answer, work: answer.work.flatMap(of) });
}

const lies = {
  omit: (url, body) => {
    if (!url.endsWith("/dossier")) return body;
    const dossier = JSON.parse(body);
    dossier.analyst.entries.pop();
    return JSON.stringify(dossier);
  },
  rewrite: (url, body) => (url.startsWith("/api/v1/log/entries?") ? body.toString().replace(/"verb":"person.declare"/, '"verb":"person.revised"') : body),
  garbled: (url, body) => (url.startsWith("/api/v1/node/work") ? JSON.stringify({ ...JSON.parse(body), runs: [1, null, {}, ["r"]] }) : body),
  fewer: (url, body) => changed(url, body, (w) => (w.round > 1 ? [{ ...w, sites: w.sites.filter((s) => s.body !== "T2") }] : [w])),
  silent: (url, body) => changed(url, body, (w) => ((gone ||= w.round > 1), [w])),
  runless: (url, body) => (url.startsWith("/api/v1/node/work") ? JSON.stringify({ ...JSON.parse(body), runs: undefined }) : body),
  fewest: (url, body) => {
    if (!url.startsWith("/api/v1/log/entries?")) return body;
    const answer = JSON.parse(body);
    return JSON.stringify({ ...answer, items: answer.items.slice(1) });
  },
  stranger: () => "<!doctype html><p>Hello",
  older: (url, body) => (url === "/api/v1/log/checkpoint" && first ? first : body),
};

createServer((incoming, answer) => {
  gone &&= readFileSync(lieFile, "utf8").trim() === "silent";
  if (gone) return answer.writeHead(503).end();
  if (readFileSync(lieFile, "utf8").trim() === "stall" && incoming.url.startsWith("/api/v1/log/entries?")) return;
  const asked = request(hub + incoming.url, { method: incoming.method, headers: incoming.headers }, (reply) => {
    const parts = [];
    reply.on("data", (part) => parts.push(part));
    reply.on("end", () => {
      const body = Buffer.concat(parts), lie = lies[readFileSync(lieFile, "utf8").trim()];
      if (incoming.url === "/api/v1/log/checkpoint") first ??= body;
      const headers = { ...reply.headers };
      delete headers["content-length"];
      delete headers["transfer-encoding"];
      const told = lie && reply.statusCode === 200 ? lie(incoming.url, body) : body;
      if (readFileSync(lieFile, "utf8").trim() === "torn" && incoming.url.startsWith("/api/v1/log/entries?")) {
        answer.writeHead(200, { ...headers, "content-length": body.length });
        return answer.write(body.subarray(0, body.length / 2), () => answer.destroy());
      }
      answer.writeHead(gone ? 503 : reply.statusCode, headers).end(told);
    });
  });
  asked.on("error", () => answer.destroy());
  answer.on("close", () => asked.destroy());
  incoming.pipe(asked);
}).listen(0, "127.0.0.1", function () {
  console.log(this.address().port);
});
