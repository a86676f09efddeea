import { printJson } from '../../codec/index.ts';
import { parseJson } from '../../codec/json.ts';
import { joinSegments, splitSegments } from '../../codec/segment.ts';
import type { Attributes, AttributeValue, JsonValue, Resource, Scope, Span } from '../../model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../../model/index.ts';
import type { Batch } from '../../pipeline/batch.ts';
import { batchOfSpans, createBatch } from '../../pipeline/batches.ts';
import { createWordScanner, hasUrlUser } from './scan.ts';
import { createSecrets, redacted, type SecretRules, type Secrets } from './secrets.ts';

/**
 * Takes secrets out of a batch before it comes to rest on disk (specification: reliability 4.2).
 * A batch without any is passed on as the bytes that it is, after one look at each byte; spans and
 * documents without any stay as they are. `count` hears how many values were hidden.
 * @throws RaybridgeError BAD_INPUT: the batch cannot be decoded.
 */
export function createRedaction(rules: SecretRules, count: (values: number) => void): (batch: Batch) => Batch {
  const secrets = createSecrets(rules);
  const mayHold = createWordScanner(secrets.words);
  // JSON can write any letter by its number, and slashes behind a backslash, so that no word stands there.
  const mayHoldInJson = createWordScanner([...secrets.words, String.raw`\u00`, String.raw`:\/\/`]);

  return (batch) => {
    const scan = batch.format === 'otlp_proto' ? mayHold : mayHoldInJson;
    if (!scan.inBytes(batch.body) && !hasUrlUser(batch.body)) return batch;
    const pass = createPass(secrets);
    const cleaned = batch.format === 'xray_segments' ? cleanDocuments(batch, pass) : cleanSpans(batch, pass);
    if (pass.hidden === 0) return batch;
    count(pass.hidden);
    return cleaned;
  };
}

function cleanSpans(batch: Batch, pass: Pass): Batch {
  const resources = new Map<Resource, Resource>();
  const scopes = new Map<Scope, Scope>();
  const spans = batch.spans().map((span): Span => {
    let resource = resources.get(span.resource);
    if (!resource) resources.set(span.resource, (resource = withAttributes(span.resource, pass)));
    let scope = scopes.get(span.scope);
    if (!scope) scopes.set(span.scope, (scope = withAttributes(span.scope, pass)));
    return {
      ...withAttributes(span, pass),
      name: pass.clean(span.name),
      traceState: pass.clean(span.traceState),
      status: { ...span.status, message: pass.clean(span.status.message) },
      events: span.events.map((event) => withAttributes({ ...event, name: pass.clean(event.name) }, pass)),
      links: span.links.map((link) => withAttributes({ ...link, traceState: pass.clean(link.traceState) }, pass)),
      resource,
      scope,
    };
  });
  return batchOfSpans(spans, batch.receivedAtNs);
}

function withAttributes<Owner extends { readonly attributes: Attributes }>(owner: Owner, pass: Pass): Owner {
  return { ...owner, attributes: pass.cleanAttributes(owner.attributes) };
}

function cleanDocuments({ body, items, format, receivedAtNs }: Batch, pass: Pass): Batch {
  const documents = splitSegments(body).map((document) => {
    const before = pass.hidden;
    const cleaned = pass.cleanJson(parseJson(document));
    return pass.hidden === before ? document : Buffer.from(printJson(cleaned));
  });
  return createBatch({ format, body: joinSegments(documents), items, receivedAtNs });
}

/** One go through a batch. */
interface Pass {
  /** Values so far. */
  readonly hidden: number;
  clean(text: string): string;
  cleanAttributes(attributes: Attributes): Attributes;
  cleanJson(value: JsonValue): JsonValue;
}

function createPass(secrets: Secrets): Pass {
  let hidden = 0;

  const clean = (text: string): string => {
    const cleaned = secrets.clean(text);
    if (cleaned !== text) hidden++;
    return cleaned;
  };
  const hide = (text: string): string => {
    if (text === '' || text === redacted) return text;
    hidden++;
    return redacted;
  };

  const cleanAttributes = (attributes: Attributes, underSecret = false): Attributes => {
    const cleaned = new Map<string, AttributeValue>();
    for (const [key, value] of attributes) cleaned.set(key, cleanValue(value, underSecret || secrets.isSecretKey(key)));
    return cleaned;
  };
  const cleanValue = (value: AttributeValue, isSecret: boolean): AttributeValue => {
    if (typeof value === 'string') return isSecret ? hide(value) : clean(value);
    if (value instanceof Uint8Array) {
      if (!isSecret || value.length === 0) return value;
      hidden++;
      return new Uint8Array();
    }
    if (Array.isArray(value)) return (value as readonly AttributeValue[]).map((inner) => cleanValue(inner, isSecret));
    if (value instanceof Map) return cleanAttributes(value as Attributes, isSecret);
    return value;
  };

  const cleanJson = (value: JsonValue, isSecret = false): JsonValue => {
    if (typeof value === 'string') return isSecret ? hide(value) : clean(value);
    if (isJsonObject(value)) {
      const cleaned = new Map<string, JsonValue>();
      for (const [key, inner] of value) cleaned.set(key, cleanJson(inner, isSecret || secrets.isSecretKey(key)));
      return cleaned;
    }
    if (!isJsonArray(value) || isJsonNumber(value)) return value;
    // An attribute as an envelope has it: a key, and an object of its value.
    const [key, attribute] = value;
    const isAttribute = typeof key === 'string' && attribute !== undefined && isJsonObject(attribute);
    const isSecretPair = isAttribute && secrets.isSecretKey(key);
    return value.map((inner, i) => cleanJson(inner, isSecret || (isSecretPair && i > 0)));
  };

  return {
    get hidden() {
      return hidden;
    },
    clean,
    cleanAttributes,
    cleanJson,
  };
}
