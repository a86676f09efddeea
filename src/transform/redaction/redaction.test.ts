import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../../test/support/arbitraries.ts';
import { arbitraryDocument } from '../../../test/support/arbitrary-documents.ts';
import { telemetrySpans } from '../../../test/support/telemetry.ts';
import { encodeTraces, encodeTracesJson, printJson } from '../../codec/index.ts';
import type { AttributeValue, Span } from '../../model/index.ts';
import { createBatch } from '../../pipeline/batches.ts';
import { createRedaction } from './index.ts';
import { createWordScanner, hasUrlUser } from './scan.ts';
import { createSecrets, redacted } from './secrets.ts';

const usual = { keys: [], allowedKeys: [], emails: false, cardNumbers: false } as const;
const secrets = createSecrets(usual);

const word = fc.constantFrom('checkout', 'payments', 'user', 'x', 'Ümlaut', 'db');
const drawn = fc
  .array(fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'), {
    minLength: 20,
    maxLength: 40,
  })
  .map((letters) => `a1B${letters.join('')}`);
const password = fc.oneof(drawn, fc.constantFrom('hunter2', 'correct-horse', 's3cr3t!', 'pässwörd'));
const separator = fc.constantFrom('.', '_', '-', '');
const secretName = fc.constantFrom(
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'x_api_key',
  'apiKey',
  'password',
  'PASSWORD',
  'passwd',
  'x-amz-security-token',
  'secret',
  'client_secret',
  'token',
  'accessToken',
  'id_token',
  'aws_secret_access_key',
  'private_key',
);
const secretKey = fc.oneof(
  secretName,
  fc.tuple(fc.constantFrom('http.request.header.', 'app.', 'db.'), secretName).map(([prefix, name]) => prefix + name),
  fc.tuple(word, separator, secretName).map(([prefix, between, name]) => `${prefix}${between}${name}`),
);
/** A text, and what must not be left of it. */
const secretText: fc.Arbitrary<readonly [text: string, secret: string]> = fc.oneof(
  drawn.map((token): [string, string] => [`Bearer ${token}`, token]),
  drawn.map((token): [string, string] => [`call failed, sent "Authorization: bearer ${token}" to it`, token]),
  password.map((text): [string, string] => {
    const token = Buffer.from(`user:${text}`).toString('base64');
    return [`Authorization: Basic ${token}`, token];
  }),
  drawn.map((body): [string, string] => {
    const token = `eyJhbGciOiJIUzI1NiJ9.eyJ${body}.${body}`;
    return [`token was ${token}, expired`, token];
  }),
  fc
    .tuple(fc.constantFrom('AKIA', 'ASIA'), fc.constantFrom('IOSFODNN7EXAMPLE', 'QWERTYUIOPAS2345'))
    .map(([prefix, rest]): [string, string] => [`key ${prefix}${rest} is not known`, prefix + rest]),
  drawn.map((token): [string, string] => [`https://h.example/cb?state=1&access_token=${token}&x=2`, token]),
  drawn.map((token): [string, string] => [`https://b.s3.amazonaws.com/k?X-Amz-Signature=${token}`, token]),
  drawn.map((text): [string, string] => [`Server=db;User Id=app;Password=${text};Database=x`, text]),
  drawn.map((text): [string, string] => [`postgres://app:${text}@db.example:5432/shop`, text]),
  drawn.map((text): [string, string] => [`{"user":"a","password":"${text}","n":1}`, text]),
  drawn.map((text): [string, string] => [JSON.stringify(`{"clientSecret": "${text}"}`), text]),
  drawn.map((text): [string, string] => [`UPDATE users SET password = '${text}' WHERE id = 7`, text]),
  drawn.map((text): [string, string] => [`GET / HTTP/1.1\r\nCookie: sid=${text}; a=b\r\nAccept: */*`, text]),
);
/** What looks like a secret at first sight. */
const harmless: fc.Arbitrary<readonly [key: string, value: AttributeValue]> = fc.oneof(
  fc.constantFrom(
    ...([
      ['gen_ai.usage.input_tokens', 512n],
      ['aws.secretsmanager.secret.arn', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1b2c3'],
      ['exception.message', "Unexpected token '}' in JSON at position 42"],
      ['exception.message', 'SyntaxError: Unexpected token: punc (})'],
      ['exception.message', 'bearer authentication is required'],
      ['exception.message', 'The security token included in the request is invalid.'],
      ['db.query.text', 'SELECT * FROM users WHERE password = ? AND token = $1'],
      ['db.query.text', 'SELECT id, token, secret FROM sessions'],
      ['url.full', 'https://shop.example/reset-password?step=2'],
      ['url.path', '/oauth2/token'],
      ['aws.next_token', 'AAAA1234bbbb'],
      ['pagination.nextToken', 'AAAA1234bbbb'],
      ['token.count', '12'],
      ['password.changed', 'yes'],
      ['has_secret', true],
      ['http.route', '/v1/secrets/:id'],
      ['code.function.name', 'com.example.TokenService.refreshToken'],
      ['user.id', 'akiao'],
      ['messaging.message.id', '5fea7756-0ea4-451a-a703-a558b933e274'],
      ['service.name', 'cookie-shop'],
      ['user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
    ] satisfies readonly [string, AttributeValue][]),
  ),
  fc.tuple(fc.constantFrom('http.route', 'peer.service', 'note'), fc.oneof(word, fc.uuid(), fc.webUrl())),
);

test('Of 2,000 secrets at least 99.5 % are hidden, and at most 0.5 % of what is none', () => {
  const cases = 2_000;
  const underKeys = fc.sample(fc.tuple(secretKey, password), cases / 2);
  const inTexts = fc.sample(secretText, cases / 2);
  const missed = [
    ...underKeys.filter(([key, value]) => JSON.stringify(cleaned(key, value)).includes(value)),
    ...inTexts.filter(([text, secret]) => JSON.stringify(cleaned('note', text)).includes(secret)),
  ];
  assert.ok(missed.length <= cases * 0.005, `missed ${missed.length}: ${JSON.stringify(missed.slice(0, 5))}`);
  const innocent = fc.sample(harmless, cases);
  const wrong = innocent.filter(([key, value]) => cleaned(key, value) !== value);
  assert.ok(wrong.length <= cases * 0.005, `hidden without need: ${wrong.length}: ${String(wrong.slice(0, 5))}`);
});

test('What is hidden leaves the rest of the text as it was', () => {
  const after: readonly [string, string][] = [
    ['https://h/cb?a=1&access_token=a1B2c3D4&x=2', `https://h/cb?a=1&access_token=${redacted}&x=2`],
    ['postgres://app:pw@db/shop', `postgres://${redacted}@db/shop`],
    ['Password=x y;Database=z', `Password=${redacted} y;Database=z`],
    ["SET password = 'x y'", `SET password = '${redacted}'`],
    ['{"password":"x","n":1}', `{"password":"${redacted}","n":1}`],
    ['Bearer a1B2c3D4e5', `Bearer ${redacted}`],
    ['Cookie: a=b; c=d\r\nAccept: x', `Cookie: ${redacted}\r\nAccept: x`],
  ];
  for (const [text, wanted] of after) {
    assert.equal(secrets.clean(text), wanted);
    assert.equal(secrets.clean(wanted), wanted, 'and once more changes nothing');
  }
});

test('E-mail addresses and card numbers are hidden on request', () => {
  const text = 'ann.lee+x@mail.example paid with 4111 1111 1111 1111, not 4111 1111 1111 1112, order 1234567890123';
  assert.equal(secrets.clean(text), text);
  assert.equal(
    createSecrets({ ...usual, emails: true, cardNumbers: true }).clean(text),
    `${redacted} paid with ${redacted}, not 4111 1111 1111 1112, order 1234567890123`,
  );
});

test('Keys can be added, and others allowed', () => {
  const own = createSecrets({ ...usual, keys: ['tax-id'], allowedKeys: ['session.token'] });
  assert.deepEqual(
    ['user.taxId', 'TAX_ID', 'session.token', 'sessionToken', 'other.token'].map((key) => own.isSecretKey(key)),
    [true, true, false, false, true],
  );
});

describe('a look at the bytes', () => {
  const mayHold = createWordScanner(secrets.words);

  test('finds each word in any case and with any separators, and nothing else', () => {
    const scan = createWordScanner(['she', 'hers', 'apikey']);
    const found = ['ushers', 'SHE', 'x-api_key', 'a.P i-key', 'hehers'];
    const none = ['', 'her', 'sh', 'apiky', 'hé rs', 'api/key', 'ärs xe'];
    assert.deepEqual(
      found.map((text) => scan.inBytes(Buffer.from(text)) && scan.inText(text)),
      found.map(() => true),
    );
    assert.deepEqual(
      none.map((text) => scan.inBytes(Buffer.from(text)) && scan.inText(text)),
      none.map(() => false),
    );
  });

  test('agrees with a search for each word', () => {
    const text = fc.array(fc.constantFrom(...'abc-_. É'), { maxLength: 30 }).map((letters) => letters.join(''));
    const words = fc.array(fc.stringMatching(/^[abc]{1,4}$/), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(text, words, (text, words) => {
        const plain = text.replaceAll(/[-_. ]/g, '');
        assert.equal(
          createWordScanner(words).inBytes(Buffer.from(text)),
          words.some((word) => plain.includes(word)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('misses nothing that would be hidden', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          secretText.map(([text]) => text),
          fc.string(),
        ),
        (text) => {
          if (secrets.clean(text) !== text)
            assert.ok(mayHold.inBytes(Buffer.from(text)) || hasUrlUser(Buffer.from(text)));
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(secretKey, (key) => {
        assert.ok(secrets.isSecretKey(key) && mayHold.inBytes(Buffer.from(key)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('passes a batch without secrets on as it is', () => {
    const batch = batchOf(telemetrySpans(50));
    assert.equal(mayHold.inBytes(batch.body), false);
    assert.equal(createRedaction(usual, fail)(batch), batch);
  });
});

describe('a batch', () => {
  const canary = 'CANARY7q';

  test('holds no secret afterwards, wherever it stood and in whatever format it came', () => {
    const [plain] = telemetrySpans(1);
    assert.ok(plain);
    const hidden = new Map<string, AttributeValue>([
      ['http.request.header.authorization', [`Bearer ${canary}`]],
      [
        'nested',
        new Map([
          [
            'password',
            new Map<string, AttributeValue>([
              ['value', canary],
              ['n', 5n],
            ]),
          ],
        ]),
      ],
      ['token', Buffer.from(canary)],
      ['note', `https://h/?token=${canary}`],
    ]);
    const span: Span = {
      ...plain,
      name: `GET /?api_key=${canary}`,
      attributes: hidden,
      status: { code: 2, message: `Bearer ${canary}` },
      events: [{ timeNs: 1n, name: 'e', attributes: hidden, droppedAttributesCount: 0 }],
      links: [
        {
          traceId: plain.traceId,
          spanId: plain.spanId,
          traceState: '',
          flags: 0,
          attributes: hidden,
          droppedAttributesCount: 0,
        },
      ],
      resource: { ...plain.resource, attributes: hidden },
      scope: { ...plain.scope, attributes: hidden },
    };
    const document = Buffer.from(
      `[{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"a","start_time":1,"end_time":2,` +
        `"http":{"request":{"url":"https://u:${canary}@h/"}},"annotations":{"apiKey":"${canary}","n":1E3},` +
        `"metadata":{"default":{"p\\u0061ssword":["${canary}",{"x":"${canary}"}]},"raybridge":{"a":[["db.password",{"stringValue":"${canary}"}]]}}}]`,
    );
    const bodies = [
      ['otlp_proto', encodeTraces([span])],
      ['otlp_json', Buffer.from(encodeTracesJson([span]))],
      ['xray_segments', document],
    ] as const;
    for (const [format, body] of bodies) {
      let values = 0;
      const redact = createRedaction(usual, (more) => (values += more));
      const after = redact(createBatch({ format, body, items: 1, receivedAtNs: 1n }));
      assert.ok(!Buffer.from(after.body).includes(canary), format);
      assert.ok(!Buffer.from(after.body).includes(Buffer.from(canary).toString('base64')), format);
      assert.ok(values >= 5, `${format}: ${values}`);
      assert.equal(after.spans().length, 1);
      if (format === 'xray_segments') assert.match(Buffer.from(after.body).toString(), /"n":1E3/);
      const again = createRedaction(usual, fail)(after);
      assert.deepEqual(again.spans(), after.spans(), 'once more changes nothing');
    }
  });

  test('keeps every document and span in which there is nothing to hide', () => {
    const secretDocument =
      '{"id":"70de5b6f19ff9a0b","trace_id":"1-581cf771-a006649127e371903a2de979","name":"a","start_time":1,"end_time":2,"annotations":{"token":"x"}}';
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        const text = printJson(document);
        const body = Buffer.from(`[${text},${secretDocument}]`);
        const after = createRedaction(usual, () => {})(
          createBatch({ format: 'xray_segments', body, items: 2, receivedAtNs: 1n }),
        );
        assert.ok(Buffer.from(after.body).toString().startsWith(`[${text},`));
      }),
      { numRuns: 200 },
    );
    fc.assert(
      fc.property(arbitrarySpans, (spans) => {
        let values = 0;
        const batch = batchOf(spans);
        const after = createRedaction({ ...usual, keys: ['http.request.method'] }, (more) => (values += more))(batch);
        if (values === 0) assert.equal(after, batch);
        assert.equal(after.spans().length, batch.spans().length);
        for (const [i, span] of after.spans().entries()) assert.equal(span.spanId, batch.spans()[i]?.spanId);
      }),
      { numRuns: 200 },
    );
  });
});

test('No text takes long, however it was made up', () => {
  const pieces = [
    'eyJ',
    '-eyJa',
    'Bearer ',
    'token=',
    '"password":',
    '://x:',
    'a@',
    '4 ',
    'AKIA',
    'cookie: ',
    ' ',
    '=',
    '.',
    'aB1',
  ];
  const all = createSecrets({ ...usual, emails: true, cardNumbers: true });
  for (const piece of pieces) {
    // Work that grows with the square of this would run into the time limit of every test.
    assert.ok(all.clean(piece.repeat(1_000_000 / piece.length)).length > 0);
  }
});

const redact = createRedaction(usual, () => {});

function cleaned(key: string, value: AttributeValue): AttributeValue {
  const [plain] = telemetrySpans(1);
  assert.ok(plain);
  return redact(batchOf([{ ...plain, attributes: new Map([[key, value]]) }]))
    .spans()[0]
    ?.attributes.get(key);
}

function batchOf(spans: readonly Span[]) {
  return createBatch({ format: 'otlp_proto', body: encodeTraces(spans), items: spans.length, receivedAtNs: 1n });
}

function fail(): never {
  throw new Error('nothing is to be hidden');
}
