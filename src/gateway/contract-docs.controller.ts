import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '#platform';

const policy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Contracts · Patchbay</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<form id="key" style="padding: 1rem; font-family: sans-serif">
<label>API key <input name="key" type="password" autocomplete="off" required size="50"></label> <button>Show</button>
<output></output></form><ul id="list" style="font-family: sans-serif"></ul><div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/contracts.js"></script></html>`;

/** The key stays in the tab: it is sent with each request to this hub and nowhere else. */
const script = `
const form = document.getElementById('key');
const [, , kind, reference] = location.pathname.split('/');
const source = reference === undefined
  ? '/api/contracts'
  : '/api/' + kind + '/' + reference + '/openapi.json' + location.search;

async function show(key) {
  const answer = await fetch(source, { headers: { authorization: 'Bearer ' + key } });
  const content = await answer.json();
  if (!answer.ok) return content.detail;
  sessionStorage.setItem('patchbay-key', key);
  form.hidden = true;
  if (reference === undefined) list(content.items);
  else describe(content, key);
  return '';
}

function describe(spec, key) {
  SwaggerUIBundle({
    spec,
    dom_id: '#docs',
    deepLinking: true,
    requestInterceptor: (request) => {
      request.headers.Authorization = 'Bearer ' + key;
      return request;
    },
  });
}

function list(items) {
  for (const { name, address, network, interface: known, links } of items) {
    const link = document.createElement('a');
    link.href = links.docs;
    link.textContent = (name ?? address) + ' on ' + network + (known ? ' (' + known + ')' : '');
    const item = document.createElement('li');
    item.append(link);
    document.getElementById('list').append(item);
  }
}

async function tell(key) {
  form.querySelector('output').textContent = await show(key).catch(String);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void tell(new FormData(form).get('key'));
});
const kept = sessionStorage.getItem('patchbay-key');
if (kept) void tell(kept);
`;

/** Live reference of contracts. The pages hold no data: a reader's key fetches it. */
@Controller('docs')
export class ContractDocsController {
  @Public()
  @Get('contracts.js')
  script(@Res() reply: FastifyReply): void {
    void reply.type('text/javascript; charset=utf-8').send(script);
  }

  @Public()
  @Get('contracts')
  list(@Res() reply: FastifyReply): void {
    sendPage(reply);
  }

  @Public()
  @Get('contracts/:contract')
  contract(@Res() reply: FastifyReply): void {
    sendPage(reply);
  }

  @Public()
  @Get('interfaces/:interface')
  interface(@Res() reply: FastifyReply): void {
    sendPage(reply);
  }
}

function sendPage(reply: FastifyReply): void {
  void reply.header('content-security-policy', policy).type('text/html; charset=utf-8').send(page);
}
