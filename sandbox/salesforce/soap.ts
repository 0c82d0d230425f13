import type { Records, Writer } from './records.js';
import { RestError } from './rest-error.js';
import { attempt } from './rest-request.js';

export interface SoapAnswer {
  readonly status: number;
  readonly xml: string;
}

/** Token of a SOAP call; it comes in the envelope and not in a header of HTTP. */
export function soapSession(envelope: string): string {
  return /<(?:\w+:)?sessionId[^>]*>([^<]*)</.exec(envelope)?.[1] ?? '';
}

/** The two calls of the partner API that REST has no counterpart for: `undelete` and `emptyRecycleBin`. */
export function answerSoap(envelope: string, records: Records, writer: Writer): SoapAnswer {
  const [, method = ''] = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(envelope) ?? [];
  if (method !== 'undelete' && method !== 'emptyRecycleBin') {
    return soapFault('sf:UNKNOWN_EXCEPTION', `The stand-in does not know ${method}`);
  }
  const ids = [...envelope.matchAll(/<(?:\w+:)?ids[^>]*>([^<]*)</g)].map(([, id = '']) => id.trim());
  if (ids.length > 200) return soapFault('sf:EXCEEDED_ID_LIMIT', 'record limit reached');
  const results = records.transaction(() =>
    ids.map((id) => {
      const done = attempt(() => {
        const object = records.schema.ofId(id);
        if (object === undefined) throw new RestError(400, 'MALFORMED_ID', `bad id ${id}`);
        if (method === 'undelete') records.undelete(object.name, id, writer);
        else records.emptyBin(object.name, id);
      });
      return 'error' in done ? failure(done.error) : `<result><id>${id}</id><success>true</success></result>`;
    }),
  );
  return { status: 200, xml: inEnvelope(`<${method}Response>${results.join('')}</${method}Response>`) };
}

export function soapFault(code: string, message: string): SoapAnswer {
  const text = escape(message);
  return {
    status: 500,
    xml: inEnvelope(`<soapenv:Fault><faultcode>${code}</faultcode><faultstring>${text}</faultstring></soapenv:Fault>`),
  };
}

function failure({ first }: RestError): string {
  const { errorCode, message } = first;
  return `<result><errors><message>${escape(message)}</message><statusCode>${errorCode}</statusCode></errors><id xsi:nil="true"/><success>false</success></result>`;
}

function inEnvelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
