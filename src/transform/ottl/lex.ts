/** Words of the OpenTelemetry Transformation Language (specification: configuration 1.15). */
export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'bytes' | 'symbol' | 'end';
  readonly text: string;
  /** In characters, from 0. */
  readonly offset: number;
}

export class OttlError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'OttlError';
    this.offset = offset;
  }
}

const pattern =
  /\s+|(?<bytes>0x[0-9a-fA-F]+)|(?<number>\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+(?:[eE][-+]?\d+)?)|(?<string>"(?:[^"\\]|\\.)*")|(?<name>[A-Za-z_]\w*)|(?<symbol>==|!=|<=|>=|[-+*/<>()[\]{}.,:=])/gy;

/** @throws OttlError. */
export function lex(text: string): readonly Token[] {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  for (let offset = 0; offset < text.length; offset = pattern.lastIndex) {
    pattern.lastIndex = offset;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined && pattern.lastIndex === 0) {
      throw new OttlError(`unexpected ${JSON.stringify(text[offset])}`, offset);
    }
    for (const kind of ['bytes', 'number', 'string', 'name', 'symbol'] as const) {
      const found = groups?.[kind];
      if (found !== undefined) tokens.push({ kind, text: found, offset });
    }
  }
  return [...tokens, { kind: 'end', text: '', offset: text.length }];
}
