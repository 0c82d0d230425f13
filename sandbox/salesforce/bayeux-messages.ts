export interface BayeuxMessage {
  readonly channel: string;
  readonly id?: string;
  readonly clientId?: string;
  readonly subscription?: string | readonly string[];
  readonly ext?: { readonly replay?: true | Readonly<Record<string, number>> };
  readonly advice?: { readonly timeout?: number };
}

export function reply({ channel, id }: BayeuxMessage) {
  return { channel, ...(id === undefined ? {} : { id }) };
}

export function connected(message: BayeuxMessage) {
  return { ...reply(message), clientId: message.clientId, successful: true };
}

export function unknownClient(message: BayeuxMessage, reconnect: 'none' | 'handshake') {
  return { ...reply(message), successful: false, error: '403::Unknown client', advice: { reconnect, interval: 0 } };
}

export function authenticationInvalid(message: BayeuxMessage) {
  return {
    ...reply(message),
    successful: false,
    error: '401::Authentication invalid',
    advice: { reconnect: 'none', interval: 0 },
  };
}

export function refusedMessage(
  message: BayeuxMessage,
  error: string,
  reconnect: 'none' | 'retry' | 'handshake' = 'none',
) {
  return { ...reply(message), successful: false, error, advice: { reconnect, interval: 0 } };
}

export function handshakeDenied(
  message: BayeuxMessage,
  failureReason: string,
  reconnect: 'none' | 'retry' | 'handshake' = 'none',
) {
  return {
    ...reply(message),
    successful: false,
    error: '403::Handshake denied',
    ext: { sfdc: { failureReason }, replay: true, 'payload.format': true },
    advice: { reconnect },
  };
}

export const deliveriesUsedUp = '403::Organization total events daily limit exceeded';
