/** Texts that a trace can carry and a page must show as text: markup, script addresses, what ends an attribute. */
export const hostileTexts: readonly string[] = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "'><iframe src=javascript:alert(1)>",
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  '</style><script>alert(1)</script>',
  '<a href="javascript:alert(1)">x</a>',
  '‮<b>backwards</b>',
];
