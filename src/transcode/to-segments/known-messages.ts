import type { IndexedMessage } from '../../codec/otlp-index.ts';

/** Resources and scopes stay the same from request to request; this many are remembered. */
const knownMax = 64;
/** A larger one is not remembered: senders decide what they send, not how much of it is kept. */
const knownBytesMax = 65_536;

interface Known<Parts> {
  readonly bytes: Uint8Array;
  readonly parts: Parts;
}

/** What documents hold of a resource or a scope, by the bytes of its message; of one request also the message itself. */
export class KnownMessages<Message, Parts> {
  private readonly toParts: (message: Message) => Parts;
  private readonly decode: (request: Uint8Array, place: IndexedMessage) => Message;
  private readonly known: Known<Parts>[] = [];
  private request: Uint8Array = new Uint8Array();
  private places: readonly IndexedMessage[] = [];
  private partsByPlace: (Parts | undefined)[] = [];
  private messageByPlace: (Message | undefined)[] = [];

  constructor(toParts: (message: Message) => Parts, decode: (request: Uint8Array, place: IndexedMessage) => Message) {
    this.toParts = toParts;
    this.decode = decode;
  }

  open(request: Uint8Array, places: readonly IndexedMessage[]): void {
    this.request = request;
    this.places = places;
    this.partsByPlace = places.map(() => undefined);
    this.messageByPlace = places.map(() => undefined);
  }

  parts(place: number): Parts {
    return (this.partsByPlace[place] ??= this.find(place));
  }

  /** Of a message of this request that `message` gave. */
  partsOf(message: Message): Parts {
    return this.parts(this.messageByPlace.indexOf(message));
  }

  message(place: number): Message {
    return (this.messageByPlace[place] ??= this.decode(this.request, this.places[place] ?? none));
  }

  private find(place: number): Parts {
    const { message, schemaUrl } = this.places[place] ?? none;
    // The schema URL stands behind the message or before it; both ranges together say all.
    const bytes = joined(this.request, message, schemaUrl);
    const at = this.known.findIndex((candidate) => isSame(candidate.bytes, bytes));
    const found = this.known[at] ?? { bytes, parts: this.toParts(this.message(place)) };
    if (bytes.length > knownBytesMax) return found.parts;
    if (at >= 0) this.known.splice(at, 1);
    this.known.unshift(found);
    this.known.length = Math.min(this.known.length, knownMax);
    return found.parts;
  }
}

const none: IndexedMessage = { message: { start: 0, end: 0 }, schemaUrl: { start: 0, end: 0 } };

/** Each range begins with its length, so that no two pairs of ranges look alike. */
function joined(request: Uint8Array, first: IndexedMessage['message'], second: IndexedMessage['message']): Uint8Array {
  const length = first.end - first.start;
  const bytes = new Uint8Array(length + second.end - second.start);
  bytes.set(request.subarray(first.start, first.end));
  bytes.set(request.subarray(second.start, second.end), length);
  return bytes;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
