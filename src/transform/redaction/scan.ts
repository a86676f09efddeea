/**
 * Whether bytes hold one of some words, at a step per byte, whatever the number of words: the
 * automaton of Aho and Corasick, without its list of what was found. ASCII letters match in either
 * case, and the separators `-`, `_`, `.` and space may stand anywhere inside a word or be missing.
 */
export type WordScanner = (bytes: Uint8Array) => boolean;

const symbols = 128;
/** Bytes of text beyond ASCII, which no word holds. */
const otherSymbol = 0;
const separators = '-_. ';

/** @param words without separators; each of at least one ASCII character. */
export function createWordScanner(words: readonly string[]): WordScanner {
  const { next, isWord } = automatonOf(words.map((word) => word.toLowerCase()));
  const symbolOf = Uint8Array.from({ length: 256 }, (_, byte) =>
    byte < symbols ? String.fromCharCode(byte).toLowerCase().charCodeAt(0) : otherSymbol,
  );
  return (bytes) => {
    let state = 0;
    for (let i = 0; i < bytes.length; i++) {
      state = next[state * symbols + (symbolOf[bytes[i] ?? 0] ?? 0)] ?? 0;
      if (isWord[state] === 1) return true;
    }
    return false;
  };
}

interface Automaton {
  /** The state after a symbol, by state and symbol. */
  readonly next: Uint16Array;
  readonly isWord: Uint8Array;
}

function automatonOf(words: readonly string[]): Automaton {
  const statesMax = 1 + words.reduce((sum, { length }) => sum + length, 0);
  const next = new Uint16Array(statesMax * symbols);
  const isWord = new Uint8Array(statesMax);
  let states = 1;
  for (const word of words) {
    let state = 0;
    for (const character of word) {
      const place = state * symbols + character.charCodeAt(0);
      state = next[place] || (next[place] = states++);
    }
    isWord[state] = 1;
  }
  // By breadth: where a state has no way on, it goes on as the longest end of it that is a beginning does.
  const fallback = new Uint16Array(statesMax);
  const queue = [0];
  for (const state of queue) {
    const back = fallback[state] ?? 0;
    if (isWord[back] === 1) isWord[state] = 1;
    for (let symbol = 0; symbol < symbols; symbol++) {
      const place = state * symbols + symbol;
      const elsewhere = state === 0 ? 0 : (next[back * symbols + symbol] ?? 0);
      const child = next[place] ?? 0;
      if (child === 0) next[place] = elsewhere;
      else {
        fallback[child] = elsewhere;
        queue.push(child);
      }
    }
  }
  for (const separator of separators) {
    for (let state = 0; state < states; state++) next[state * symbols + separator.charCodeAt(0)] = state;
  }
  return { next, isWord };
}
