import type { CarriedResources } from '../../convert/carried.ts';
import type { Span } from '../../model/index.ts';
import type { Page } from './page.ts';

/**
 * Which resources the segments written so far carry, by trace: what the conversion's `carried.ts`
 * knows, for traces whose ids are on the page as well as for spans.
 */
export class CarriedHashes implements CarriedResources {
  private readonly carried = new Set<string>();
  private readonly hashOf: (span: Span) => string;

  constructor(hashOf: (span: Span) => string) {
    this.hashOf = hashOf;
  }

  clear(): void {
    this.carried.clear();
  }

  addAt(page: Page, traceId: number, hash: string): void {
    this.carried.add(keyAt(page, traceId) + hash);
  }

  hasAt(page: Page, traceId: number, hash: string): boolean {
    return this.carried.size > 0 && this.carried.has(keyAt(page, traceId) + hash);
  }

  add(span: Span): void {
    this.carried.add(keyOf(span.traceId) + this.hashOf(span));
  }

  hashFor(span: Span): string | undefined {
    const hash = this.hashOf(span);
    return this.carried.has(keyOf(span.traceId) + hash) ? hash : undefined;
  }
}

/** The 16 bytes as eight code units: half as long to make as hex digits, and to hash. */
function keyAt({ view }: Page, at: number): string {
  return String.fromCharCode(
    view.getUint16(at),
    view.getUint16(at + 2),
    view.getUint16(at + 4),
    view.getUint16(at + 6),
    view.getUint16(at + 8),
    view.getUint16(at + 10),
    view.getUint16(at + 12),
    view.getUint16(at + 14),
  );
}

function keyOf(traceId: string): string {
  let key = '';
  for (let i = 0; i < traceId.length; i += 4) key += String.fromCharCode(Number.parseInt(traceId.slice(i, i + 4), 16));
  return key;
}
