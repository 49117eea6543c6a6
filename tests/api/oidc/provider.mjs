// SPDX-License-Identifier: Apache-2.0
// A real OpenID provider (npm oidc-provider) on loopback, with one client and people who need no password: whoever the file
// ACCOUNT names is signed in. Prints its issuer.
//   node provider.mjs PORT REDIRECT-URI ACCOUNT-FILE [HOST [KEY.pem ALG]]     KEY: the client shows who it is by this key; HOST: 127.0.0.1, or localhost to be another site than a hub there
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const [port, redirect, account, host = "127.0.0.1", keyFile, alg] = process.argv.slice(2);
const authentication = keyFile
  ? { token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: alg, jwks: { keys: [{ ...createPublicKey(readFileSync(keyFile)).export({ format: "jwk" }), kid: "one", use: "sig", alg }] } }
  : { client_secret: "a client's +secret/ of some length" };
const issuer = `http://${host}:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "accord", ...authentication, redirect_uris: [redirect], grant_types: ["authorization_code"], response_types: ["code"] }],
  clientAuthMethods: ["client_secret_basic", "private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["RS256", "RS512", "PS256", "ES256", "EdDSA"] },
  pkce: { required: () => true, methods: ["S256"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["a key of the test"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

provider.use(async (context, next) => {
  if (!context.path.startsWith("/interaction/")) return next();
  const details = await provider.interactionDetails(context.req, context.res);
  const accountId = readFileSync(account, "utf8").trim();
  if (accountId === "nobody") return provider.interactionFinished(context.req, context.res, { error: "access_denied" });
  const grant = new provider.Grant({ accountId, clientId: details.params.client_id });
  grant.addOIDCScope("openid");
  await provider.interactionFinished(context.req, context.res, { login: { accountId }, consent: { grantId: await grant.save() } });
  context.respond = false;
});
provider.listen(Number(port), host, () => console.log(issuer));
