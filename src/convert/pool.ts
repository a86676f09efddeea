/** Values compared, newest first: neighbours share theirs. */
const valuesMax = 8;
/** Objects whose value is known to be pooled, so that a shared one is not compared again. */
const aliasesMax = 64;

/** The values seen last, so that equal ones are one object: spans are grouped by it. */
export class Pool<Value extends object> {
  private readonly same: (a: Value, b: Value) => boolean;
  private readonly values: Value[] = [];
  private readonly aliases = new Map<Value, Value>();

  constructor(same: (a: Value, b: Value) => boolean) {
    this.same = same;
  }

  /** It has had to forget values: an equal one may be another object. */
  isCrowded = false;

  /** The value itself, or an equal one that was seen before. */
  find(value: Value): Value {
    const alias = this.aliases.get(value);
    if (alias) return alias;
    const known = this.values.find((candidate) => this.same(candidate, value));
    if (!known) this.add(value);
    if (this.aliases.size === aliasesMax) this.aliases.clear();
    this.aliases.set(value, known ?? value);
    return known ?? value;
  }

  private add(value: Value): void {
    this.values.unshift(value);
    if (this.values.length <= valuesMax) return;
    this.isCrowded = true;
    this.values.length = valuesMax;
    this.aliases.clear();
  }
}
