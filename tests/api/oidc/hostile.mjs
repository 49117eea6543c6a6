// SPDX-License-Identifier: Apache-2.0
// A provider that lies: its token endpoint gives what the code asks for ("MODE.NONCE"), right or wrong in one way.
//   node hostile.mjs RS256|PS256|ES256|EdDSA
import { createPrivateKey, createPublicKey, constants, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";

const algorithm = process.argv[2];
const make = { RS256: ["rsa", { modulusLength: 2048 }], PS256: ["rsa", { modulusLength: 2048 }], ES256: ["ec", { namedCurve: "P-256" }], EdDSA: ["ed25519", {}] }[algorithm];
const ours = generateKeyPairSync(...make);
const other = generateKeyPairSync(...make);
const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const published = { ...ours.publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: algorithm };
let issuer;

function signature(text, key) {
  if (algorithm === "PS256") return sign("sha256", Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  if (algorithm === "ES256") return sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return sign(algorithm === "EdDSA" ? null : "sha256", Buffer.from(text), key);
}

function token(mode, nonce) {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: algorithm, kid: "one" };
  const claims = { iss: issuer, aud: "accord", sub: "alice", iat: now, exp: now + 300, nonce };
  let key = ours.privateKey;
  if (mode === "nonce") claims.nonce = "another";
  if (mode === "expired") { claims.exp = now - 120; claims.iat = now - 400; }
  if (mode === "old") claims.iat = now - 4000;
  if (mode === "audience") claims.aud = "somebody-else";
  if (mode === "audiences") claims.aud = ["accord", "somebody-else"];
  if (mode === "party") { claims.aud = ["accord", "somebody-else"]; claims.azp = "somebody-else"; }
  if (mode === "issuer") claims.iss = "http://127.0.0.1:1";
  if (mode === "subject") delete claims.sub;
  if (mode === "none") header.alg = "none";
  if (mode === "kid") header.kid = "two";
  if (mode === "key") key = other.privateKey;
  if (mode === "embedded") { key = other.privateKey; header.jwk = other.publicKey.export({ format: "jwk" }); }
  if (mode === "hmac") header.alg = "HS256";
  if (mode === "crit") header.crit = ["exp"];
  const text = `${b64(header)}.${b64(claims)}`;
  if (mode === "none") return `${text}.`;
  if (mode === "hmac") return `${text}.${createHmac("sha256", createPublicKey(createPrivateKey(ours.privateKey.export({ format: "pem", type: "pkcs8" }))).export({ format: "pem", type: "spki" })).update(text).digest("base64url")}`;
  if (mode === "parts") return text;
  const signed = signature(text, key);
  if (mode === "flipped") signed[5] ^= 1;
  if (mode === "swapped") return `${b64(header)}.${b64({ ...claims, sub: "mallory" })}.${signed.toString("base64url")}`;
  return `${text}.${signed.toString("base64url")}`;
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const json = (code, value) => response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  if (request.url === "/.well-known/openid-configuration")
    return json(200, { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` });
  if (request.url === "/keys") return json(200, { keys: [published] });
  const [mode, nonce] = (new URLSearchParams(body).get("code") ?? "").split(/\.(.*)/s);
  if (mode === "refused") return json(400, { error: "invalid_grant" });
  if (mode === "broken") return response.writeHead(200).end("<html>");
  if (mode === "missing") return json(200, { access_token: "x" });
  if (mode === "redirect") return response.writeHead(302, { Location: `${issuer}/keys` }).end();
  json(200, { access_token: "x", token_type: "Bearer", id_token: token(mode, nonce) });
});
server.listen(0, "127.0.0.1", () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  console.log(issuer);
});
