import type { ExceptionParts } from './exceptions.ts';
import { attributesMax, intType, SpanOffsets, textType } from './span-offsets.ts';
import { Page } from './page.ts';
import { Restored } from './restored.ts';
import { UrlOffsets } from './url-offsets.ts';

export interface SpanException {
  /** Of its event among the span's. */
  readonly place: number;
  readonly parts: ExceptionParts;
  /** Of the exception and its causes. */
  readonly ids: string[];
}

/** One span while its document is written: what the sections share. */
export class Draft {
  readonly page = new Page();
  readonly span = new SpanOffsets(this.page);
  readonly url = new UrlOffsets(this.page);
  /** 1 for attributes that a reader of the document sees in it, by place; the others go to the metadata. */
  readonly shown = new Uint8Array(attributesMax);
  /** 1 for attributes that became annotations, by place. */
  readonly annotated = new Uint8Array(attributesMax);
  readonly restored = new Restored();
  /** False when a section met what it has no rule for: the span takes the path over spans. */
  isUsual = true;
  isSegment = false;
  /** The document's name, unless it is that of the resource. */
  nameStart = 0;
  nameEnd = 0;
  hasHttp = false;
  hasSql = false;
  /** A member `aws` about what was called. */
  hasAwsCall = false;
  /** Of AWS calls; empty when there is none. */
  operationStart = 0;
  operationEnd = 0;
  /** Namespace of the document: `aws`, `remote` or none. */
  namespace: '' | 'aws' | 'remote' = '';
  /** Events that tell of exceptions, in the span's order. */
  readonly exceptions: SpanException[] = [];
  /** Some exception is of a type that AWS services throttle with. */
  isThrottled = false;
  /** The kind that a reader takes the document for. */
  kindRead = 0;

  clear(): void {
    this.restored.clear();
    this.shown.fill(0, 0, this.span.attributeCount);
    this.annotated.fill(0, 0, this.span.attributeCount);
    this.page.clearScratch();
    this.isUsual = true;
    this.hasHttp = this.hasSql = this.hasAwsCall = this.isThrottled = false;
    this.exceptions.length = 0;
    this.operationStart = this.operationEnd = 0;
    this.namespace = '';
  }

  /** Place of the attribute of that key; -1 for none. */
  place(key: number): number {
    return this.span.place[key] ?? -1;
  }

  has(key: number): boolean {
    return (this.span.place[key] ?? -1) >= 0;
  }

  start(place: number): number {
    return this.span.valueStart[place] ?? 0;
  }

  end(place: number): number {
    return this.span.valueEnd[place] ?? 0;
  }

  number(place: number): number {
    return this.span.number[place] ?? 0;
  }

  show(place: number): void {
    this.shown[place] = 1;
  }

  /** Place of the first of two keys that the span has, as `showText` and `showInteger` choose; both count as shown when equal. */
  showFirst(key: number, older: number): number {
    const place = this.place(key);
    const other = this.place(older);
    const chosen = place >= 0 ? place : other;
    if (chosen < 0) return chosen;
    this.shown[chosen] = 1;
    if (other >= 0 && this.sameValue(chosen, other)) this.shown[other] = 1;
    return chosen;
  }

  /** The attribute at one place has the type and value of that at another: texts and small whole numbers. */
  sameValue(place: number, other: number): boolean {
    const type = this.span.type[place];
    if (type !== this.span.type[other]) return false;
    if (type === intType) return this.span.number[place] === this.span.number[other];
    if (type !== textType) return false;
    return this.page.same(this.start(place), this.end(place), this.start(other), this.end(other));
  }
}
