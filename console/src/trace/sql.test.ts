import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatSql } from './sql.ts';

describe('a statement', () => {
  it('has its clauses on lines of their own', () => {
    assert.equal(
      formatSql(
        "SELECT o.id, 'a FROM b'  FROM orders o LEFT OUTER JOIN items i ON i.order_id = o.id WHERE o.tenant = $1 AND o.at BETWEEN ? AND ? OR o.id IN (SELECT id FROM late WHERE x = 1) GROUP BY o.id ORDER BY o.at LIMIT 5",
      ),
      [
        "SELECT o.id, 'a FROM b'",
        'FROM orders o',
        'LEFT OUTER JOIN items i ON i.order_id = o.id',
        'WHERE o.tenant = $1',
        '  AND o.at BETWEEN ? AND ?',
        '  OR o.id IN (SELECT id',
        '  FROM late',
        '  WHERE x = 1)',
        'GROUP BY o.id',
        'ORDER BY o.at',
        'LIMIT 5',
      ].join('\n'),
    );
    assert.equal(
      formatSql('UPDATE goods SET stock = stock - $1 WHERE id = $2'),
      'UPDATE goods\nSET stock = stock - $1\nWHERE id = $2',
    );
  });

  it('keeps the lines it has', () => assert.equal(formatSql(' SELECT 1\n  FROM x '), 'SELECT 1\n  FROM x'));

  it('never changes anything but blanks', () => {
    const word = fc.constantFrom(
      'SELECT',
      'from',
      'AND',
      'BETWEEN',
      '(',
      ')',
      "'it''s FROM'",
      '?',
      ' ',
      'x.y',
      ',',
      '"',
      "'",
      '名',
      '-',
      '--c',
    );
    const bare = (text: string) => text.replaceAll(/\s+/g, '');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const text = words.join(' ');
        assert.equal(bare(formatSql(text)), bare(text));
      }),
    );
  });
});
