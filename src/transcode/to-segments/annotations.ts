import { closeBrace, colon, comma } from '../../codec/json-bytes.ts';
import { jsonText, printJson } from '../../codec/index.ts';
import { decodeText } from '../../codec/utf8.ts';
import {
  type AnnotationIndex,
  annotationName,
  type AnnotationOptions,
  indexedName,
  readIndex,
  resourcePrefix,
  valueLengthMax,
  writeAnnotations,
} from '../../convert/annotations.ts';
import type { Resource } from '../../model/index.ts';
import { keyNumber } from './attribute-keys.ts';
import type { Draft } from './draft.ts';
import { literal } from './page.ts';
import { intType, listType, textType } from './span-offsets.ts';
import { templateSpan } from './template.ts';
import { writePlain } from './values.ts';

/** `annotations`, as the conversion's `annotations.ts` chooses and names them. */

const keyList = keyNumber('aws.xray.annotations');
const memberAnnotations = literal(',"annotations":{');
const memberRenames = literal(',"m":{');

/** Annotations of a segment that its resource brings. */
interface ResourceBlock {
  readonly count: number;
  /** `"name":value,…` */
  readonly annotations: Uint8Array;
  /** `"name":"key",…` of those that have another name. */
  readonly renames: Uint8Array;
}

export interface ResourceAnnotations {
  /** Those whose keys the index lists, and those that it only covers. */
  readonly listed: ResourceBlock;
  readonly covered: ResourceBlock;
}

export const noAnnotations: ResourceAnnotations = { listed: emptyBlock(), covered: emptyBlock() };

function emptyBlock(): ResourceBlock {
  return { count: 0, annotations: new Uint8Array(), renames: new Uint8Array() };
}

export function resourceAnnotations(resource: Resource, options: AnnotationOptions): ResourceAnnotations {
  const span = templateSpan({ resource });
  const view = {
    span,
    attributes: span.attributes,
    form: 'segment',
    shown: new Set<string>(),
    json: jsonText,
  } as const;
  const all = writeAnnotations(view, readIndex(options));
  const exact = options.indexed?.filter((entry) => !(typeof entry === 'string' ? entry : entry.from).includes('*'));
  const listed = writeAnnotations(view, readIndex({ ...options, indexAll: false, indexed: exact ?? [] }));
  const isListed = (name: string): boolean => listed.annotations?.has(name) ?? false;
  return {
    listed: blockOf(all, isListed),
    covered: blockOf(all, (name) => !isListed(name)),
  };
}

function blockOf(
  { annotations, renames }: ReturnType<typeof writeAnnotations>,
  isWanted: (name: string) => boolean,
): ResourceBlock {
  const entries = [...(annotations ?? [])].filter(([name]) => isWanted(name));
  const renamed = [...renames].filter(([name]) => isWanted(name));
  return {
    count: entries.length,
    annotations: literal(entries.map(([name, value]) => `${printJson(name)}:${printJson(value)}`).join(',')),
    renames: literal(renamed.map(([name, key]) => `${printJson(name)}:${printJson(key)}`).join(',')),
  };
}

/** Whether the rules here give the same as the conversion's: spans' keys are listed before those of resources. */
export function isCoveredIndex({ indexed = [] }: AnnotationOptions): boolean {
  const keys = indexed.map((entry) => (typeof entry === 'string' ? { from: entry, to: entry } : entry));
  const firstOfResource = keys.findIndex(({ from }) => from.startsWith(resourcePrefix));
  const isOrdered = firstOfResource < 0 || keys.slice(firstOfResource).every(({ from }) => isOfResource(from));
  return isOrdered && keys.every(({ from, to }) => isOfResource(from) || !isOfResource(to));
}

function isOfResource(key: string): boolean {
  return key.startsWith(resourcePrefix);
}

/** What is known of a key. */
interface Decision {
  /** As JSON. */
  readonly name: Uint8Array;
  readonly isRenamed: boolean;
}

interface ExactKey {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly decision: Decision;
}

/** Keys remembered, and the length of each; telemetry has few and short ones. */
const decisionsMax = 4096;
const keyLengthMax = 256;

export class AnnotationWriter {
  private readonly index: AnnotationIndex;
  private readonly exact: readonly ExactKey[];
  private readonly isBroad: boolean;
  private readonly covered = new Map<string, Decision | undefined>();
  private readonly own = new Map<string, Decision>();
  private count = 0;
  private hasRenamed = false;
  private readonly names: Uint8Array[] = [];
  /** Of the envelope's `m`: an attribute's place and its name, or the text of a resource's. */
  private readonly renames: (Uint8Array | { readonly place: number; readonly name: Uint8Array })[] = [];

  constructor(options: AnnotationOptions) {
    this.index = readIndex(options);
    this.isBroad = this.index.isAll || this.index.patterns.length > 0;
    this.exact = [...this.index.exact]
      .filter(([key]) => !isOfResource(key))
      .map(([key, wanted]) => ({ key, bytes: literal(key), decision: decide(key, wanted) }));
  }

  /** True when no span has annotations but those that it lists itself. */
  get isPlain(): boolean {
    return !this.isBroad && this.index.exact.size === 0;
  }

  write(draft: Draft, resource: ResourceAnnotations): void {
    const { page } = draft;
    this.count = 0;
    this.hasRenamed = false;
    this.names.length = 0;
    this.renames.length = 0;
    if (this.isPlain && !draft.has(keyList)) return;
    page.put(memberAnnotations);
    const start = page.pos;
    this.writeListed(draft, start);
    for (const { bytes, decision } of this.exact) this.annotate(draft, start, placeOf(draft, bytes), decision);
    this.writeBlock(draft, start, resource.listed);
    if (this.isBroad) this.writeCovered(draft, start);
    this.writeBlock(draft, start, resource.covered);
    if (page.pos > start) page.byte(closeBrace);
    else page.pos -= memberAnnotations.length;
  }

  /** Member `m` of the envelope. */
  writeEnvelope(draft: Draft): void {
    const { page, span } = draft;
    if (this.renames.length === 0) return;
    page.put(memberRenames);
    for (const [i, rename] of this.renames.entries()) {
      if (i > 0) page.byte(comma);
      if (rename instanceof Uint8Array) page.put(rename);
      else {
        page.put(rename.name);
        page.byte(colon);
        page.text(span.keyStart[rename.place] ?? 0, span.keyEnd[rename.place] ?? 0);
      }
    }
    page.byte(closeBrace);
  }

  /** The keys that the span lists in an attribute of its own. */
  private writeListed(draft: Draft, objectStart: number): void {
    const { page, span } = draft;
    const list = draft.place(keyList);
    if (list < 0 || !isListOfTexts(draft, list)) return;
    draft.show(list);
    const end = draft.end(list);
    for (let pos = draft.start(list); pos < end;) {
      const valueEnd = span.varint(pos + 1) + span.end;
      span.varint(span.end + 1);
      const key = decodeText(page.view, span.end, valueEnd);
      if (isOfResource(key)) draft.isUsual = false;
      const wanted = this.index.exact.get(key) ?? key;
      let decision = this.own.get(key);
      if (!decision) {
        decision = decide(key, wanted);
        remember(this.own, key, decision);
      }
      this.annotate(draft, objectStart, placeOfRange(draft, span.end, valueEnd), decision);
      pos = valueEnd;
    }
  }

  /** What fits a pattern, or is shown nowhere else. */
  private writeCovered(draft: Draft, objectStart: number): void {
    const { page, span } = draft;
    for (let i = 0; i < span.attributeCount; i++) {
      if (draft.annotated[i] === 1) continue;
      const key = decodeText(page.view, span.keyStart[i] ?? 0, span.keyEnd[i] ?? 0);
      let decision = this.covered.get(key);
      if (decision === undefined && !this.covered.has(key)) {
        const wanted = indexedName(this.index, key);
        decision = wanted === undefined ? undefined : decide(key, wanted);
        remember(this.covered, key, decision);
      }
      if (decision) this.annotate(draft, objectStart, i, decision);
      else if (this.index.isAll && draft.shown[i] !== 1) {
        let own = this.own.get(key);
        if (!own) {
          own = decide(key, key);
          remember(this.own, key, own);
        }
        this.annotate(draft, objectStart, i, own);
      }
    }
  }

  private annotate(draft: Draft, objectStart: number, place: number, { name, isRenamed }: Decision): void {
    const { page, span, restored } = draft;
    if (place < 0 || draft.annotated[place] === 1 || this.count >= this.index.limit) return;
    const type = span.type[place];
    if (type === listType) return;
    // A text that is cut is shown twice.
    if (type === textType && draft.end(place) - draft.start(place) > valueLengthMax) draft.isUsual = false;
    this.addName(draft, name, isRenamed);
    if (isRenamed) this.renames.push({ place, name });
    if (page.pos > objectStart) page.byte(comma);
    page.put(name);
    page.byte(colon);
    writePlain(draft, place);
    this.count++;
    draft.show(place);
    draft.annotated[place] = 1;
    const key = span.key[place] ?? -1;
    if (key < 0 || restored.has(key)) return;
    if (type === textType) restored.text(key, draft.start(place), draft.end(place));
    else if (type === intType && draft.number(place) >= 0) restored.integer(key, draft.number(place));
    else restored.same(key);
  }

  /** Two keys that come to one name are for the conversion to tell apart. */
  private addName(draft: Draft, name: Uint8Array, isRenamed: boolean): void {
    this.hasRenamed ||= isRenamed;
    if (this.hasRenamed && this.names.some((other) => isEqual(other, name))) draft.isUsual = false;
    this.names.push(name);
  }

  private writeBlock(draft: Draft, objectStart: number, { count, annotations, renames }: ResourceBlock): void {
    const { page } = draft;
    if (count === 0) return;
    if (this.count + count > this.index.limit) draft.isUsual = false;
    if (page.pos > objectStart) page.byte(comma);
    page.put(annotations);
    if (renames.length > 0) this.renames.push(renames);
    this.count += count;
  }
}

function decide(key: string, wanted: string): Decision {
  const name = annotationName(wanted);
  return { name: literal(printJson(name)), isRenamed: name !== key };
}

function remember<Value>(known: Map<string, Value>, key: string, value: Value): void {
  if (key.length > keyLengthMax) return;
  if (known.size >= decisionsMax) known.clear();
  known.set(key, value);
}

/** True for a list of texts, of at least one. */
function isListOfTexts(draft: Draft, place: number): boolean {
  const { page, span } = draft;
  const start = draft.start(place);
  const end = draft.end(place);
  if (span.type[place] !== listType || start === end) return false;
  for (let pos = start; pos < end;) {
    const valueEnd = span.varint(pos + 1) + span.end;
    if (page.bytes[span.end] !== 0x0a) return false;
    pos = valueEnd;
  }
  return true;
}

function placeOf({ page, span }: Draft, key: Uint8Array): number {
  for (let i = 0; i < span.attributeCount; i++) {
    const start = span.keyStart[i] ?? 0;
    if ((span.keyEnd[i] ?? 0) - start === key.length && isAt(page.bytes, start, key)) return i;
  }
  return -1;
}

function placeOfRange({ page, span }: Draft, start: number, end: number): number {
  for (let i = 0; i < span.attributeCount; i++)
    if (page.same(start, end, span.keyStart[i] ?? 0, span.keyEnd[i] ?? 0)) return i;
  return -1;
}

function isAt(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && isAt(a, 0, b);
}
