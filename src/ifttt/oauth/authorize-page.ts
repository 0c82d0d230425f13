export interface AuthorizePage {
  /** What IFTTT asked for; sent along with the decision. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly requiredScopes: readonly string[];
  /** What was wrong with the last attempt. */
  readonly problem?: string;
}

/** A page without scripts: the user signs in with an API key, or says no. */
export function authorizePage({ parameters, requiredScopes, problem }: AuthorizePage): string {
  const hidden = Object.entries(parameters)
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join('\n      ');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Connect IFTTT to Patchbay</title>
  </head>
  <body>
    <h1>Connect IFTTT to Patchbay</h1>
    <p>IFTTT will be able to hear what the triggers of this hub say, to start the flows that are actions, and to read runs and
      transactions, as the owner of the key that you give.</p>
    ${problem === undefined ? '' : `<p role="alert"><strong>${escape(problem)}</strong></p>`}
    <form method="post" action="authorize" autocomplete="off">
      ${hidden}
      <p><label for="key">API key of this hub</label><br>
        <input id="key" name="key" type="password" size="60" autofocus></p>
      <p><button name="allowed" value="true">Allow</button> <button name="allowed" value="false">Deny</button></p>
    </form>
    <p>The key needs the scopes ${requiredScopes.map((scope) => `<code>${escape(scope)}</code>`).join(', ')}. Make one with:<br>
      <code>npx patchbay key create ifttt ${requiredScopes.map((scope) => `--scope ${escape(scope)}`).join(' ')}</code></p>
  </body>
</html>
`;
}

/** A page that only says why nothing can be done. */
export function refusalPage(problem: string): string {
  return `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>IFTTT cannot be connected</title></head>
  <body><h1>IFTTT cannot be connected</h1><p role="alert">${escape(problem)}</p></body>
</html>
`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
