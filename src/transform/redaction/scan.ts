/**
 * Whether bytes or a text hold one of some words, at a step per byte, whatever the number of words: the
 * automaton of Aho and Corasick, without its list of what was found. ASCII letters match in either
 * case, and the separators `-`, `_`, `.` and space may stand anywhere inside a word or be missing.
 */
export interface WordScanner {
  inBytes(bytes: Uint8Array): boolean;
  inText(text: string): boolean;
}

const symbols = 128;
/** For what is not ASCII, which no word holds. */
const otherSymbol = 0;
const separators = '-_. ';
/** A state from which there is no way on, because nothing more is asked. */
const found = 0xffff;

/** @param words without separators; each of at least one ASCII character. Some 500 characters in all at most. */
export function createWordScanner(words: readonly string[]): WordScanner {
  const next = automatonOf(words.map((word) => word.toLowerCase()));
  return {
    inBytes(bytes) {
      let state = 0;
      for (let i = 0; i < bytes.length; i++) {
        const byte = bytes[i] as number;
        state = next[state + (byte < symbols ? byte : otherSymbol)] as number;
        if (state === found) return true;
      }
      return false;
    },
    inText(text) {
      let state = 0;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        state = next[state + (code < symbols ? code : otherSymbol)] as number;
        if (state === found) return true;
      }
      return false;
    },
  };
}

/** The state after a symbol, by the sum of state and symbol; states are `symbols` apart. */
function automatonOf(words: readonly string[]): Uint16Array {
  const statesMax = 1 + words.reduce((sum, { length }) => sum + length, 0);
  if (statesMax * symbols > found) throw new RangeError(`${statesMax} characters are too many to look for`);
  const next = new Uint16Array(statesMax * symbols);
  const ends = new Set<number>();
  let free = symbols;
  for (const word of words) {
    let state = 0;
    for (const character of word) {
      const place = state + character.charCodeAt(0);
      if (next[place] === 0) {
        next[place] = free;
        free += symbols;
      }
      state = next[place] ?? 0;
    }
    ends.add(state);
  }
  // By breadth: where a state has no way on, it goes on as the longest end of it that is a beginning does.
  const fallback = new Map([[0, 0]]);
  for (const [state, back] of fallback) {
    if (ends.has(back)) ends.add(state);
    for (let symbol = 0; symbol < symbols; symbol++) {
      const elsewhere = state === 0 ? 0 : (next[back + symbol] ?? 0);
      const child = next[state + symbol] ?? 0;
      if (child === 0) next[state + symbol] = elsewhere;
      else fallback.set(child, elsewhere);
    }
  }
  for (let state = 0; state < free; state += symbols) {
    for (const separator of separators) next[state + separator.charCodeAt(0)] = state;
    for (let c = 'A'.charCodeAt(0); c <= 'Z'.charCodeAt(0); c++) next[state + c] = next[state + c + 0x20] ?? 0;
  }
  return next.map((state) => (ends.has(state) ? found : state));
}

const slash = 0x2f;
const at = 0x40;
const space = 0x20;

/** Whether a URL among the bytes names a user, or something like one: `://`, and `@` before the next `/` or space. */
export function hasUrlUser(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = buffer.indexOf('://'); start !== -1; start = buffer.indexOf('://', start)) {
    start += '://'.length;
    for (let byte = buffer[start]; byte !== undefined && byte !== slash && byte > space; byte = buffer[++start]) {
      if (byte === at) return true;
    }
  }
  return false;
}
