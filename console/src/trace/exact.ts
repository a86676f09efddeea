import { parseJson, printJson } from '../../../src/codec/json.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../../../src/model/index.ts';
import type { JsonObject } from '../../../src/model/index.ts';
import { indentJson } from '../json/indent.ts';
import { annotationsOf } from './fields.ts';
import type { Annotation } from './fields.ts';
import type { TraceNode } from './tree.ts';

/**
 * What the waterfall reads with JSON.parse, read again so that numbers keep their text: 64-bit
 * integers and times in nanoseconds do not fit into a double. It is slower, so it is done for the
 * one node whose details are shown.
 */

/** Deeper than documents are let in. */
const depthMax = 10_000;

/** The document of a node, one member a line. */
export function exactText(node: TraceNode): string {
  const document = exactDocument(node);
  return document ? indentJson(printJson(document)) : node.text;
}

export interface ExactAnnotation extends Annotation {
  /** The value as it was written. */
  readonly text: string;
}

export function exactAnnotations(node: TraceNode): readonly ExactAnnotation[] {
  const exact = exactDocument(node)?.get('annotations');
  return annotationsOf(node).map(({ key, value }) => {
    const written = isJsonObject(exact) ? exact.get(key) : undefined;
    return { key, value, text: isJsonNumber(written) ? written.literal : String(value) };
  });
}

function exactDocument(node: TraceNode): JsonObject | undefined {
  const path: number[] = [];
  for (let at = node; at.place !== undefined && at.parent; at = at.parent) path.unshift(at.place);
  let document = parseJson(node.text, { depthMax });
  for (const place of path) {
    const subsegments = isJsonObject(document) ? document.get('subsegments') : undefined;
    document = (isJsonArray(subsegments) ? subsegments[place] : undefined) ?? null;
  }
  return isJsonObject(document) ? document : undefined;
}
