// Writes the table of Unicode's normalisation forms that Cairn.Frameworks embeds, from what the running Node knows of Unicode.
//   node eng/make-normalization-table.mjs > src/3-frameworks/Cairn.Frameworks/Tokenizing/Normalizing/normalization.txt
// Cairn runs without ICU, and without ICU the framework's string.Normalize changes nothing.
//
// Entries stand between semicolons, all numbers in hexadecimal:
//   C>A B      a canonical decomposition, whole, that composition makes again
//   C!A B      one that composition never makes again
//   C~A B      a compatibility decomposition, whole
//   A-B=N      characters of canonical combining class N
// Hangul syllables are left out: they follow from arithmetic.

// One character of every class. Node does not tell a character's class, but it tells which of two marks it puts first.
const representatives = [
  [1, 0x0334], [6, 0x16FF0], [7, 0x093C], [8, 0x3099], [9, 0x094D], [10, 0x05B0], [11, 0x05B1], [12, 0x05B2], [13, 0x05B3], [14, 0x05B4], [15, 0x05B5],
  [16, 0x05B6], [17, 0x05B7], [18, 0x05B8], [19, 0x05B9], [20, 0x05BB], [21, 0x05BC], [22, 0x05BD], [23, 0x05BF], [24, 0x05C1], [25, 0x05C2],
  [26, 0xFB1E], [27, 0x064B], [28, 0x064C], [29, 0x064D], [30, 0x0618], [31, 0x0619], [32, 0x061A], [33, 0x0651], [34, 0x0652], [35, 0x0670],
  [36, 0x0711], [84, 0x0C55], [91, 0x0C56], [103, 0x0E38], [107, 0x0E48], [118, 0x0EB8], [122, 0x0EC8], [129, 0x0F71], [130, 0x0F72], [132, 0x0F74],
  [202, 0x0321], [214, 0x1DCE], [216, 0x031B], [218, 0x1DFA], [220, 0x0316], [222, 0x059A], [224, 0x302E], [226, 0x1D16D], [228, 0x05AE],
  [230, 0x0300], [232, 0x0315], [233, 0x035C], [234, 0x035D], [240, 0x0345],
];
const hex = (c) => c.toString(16).toUpperCase();
const points = (text) => [...text].map((c) => c.codePointAt(0));
const comesFirst = (a, b) => ('a' + b + a).normalize('NFD') !== 'a' + b + a;

function combiningClass(c) {
  const text = String.fromCodePoint(c);
  if (!/\p{M}/u.test(text) || text.normalize('NFD') !== text) return 0;
  const starter = !comesFirst(text, '\u0345') && !comesFirst('\u0334', text);
  if (starter) return 0;
  for (const [number, other] of representatives) {
    const mark = String.fromCodePoint(other);
    if (!comesFirst(text, mark) && !comesFirst(mark, text)) return number;
  }
  throw new Error(`no class for ${hex(c)}`);
}

const entries = [];
const classes = [];
for (let c = 0x80; c <= 0x10ffff; c++) {
  if ((c >= 0xd800 && c <= 0xdfff) || (c >= 0xac00 && c <= 0xd7a3)) continue;
  const text = String.fromCodePoint(c);
  const canonical = text.normalize('NFD');
  const compatible = text.normalize('NFKD');
  if (canonical !== text) entries.push(`${hex(c)}${text.normalize('NFC') === text ? '>' : '!'}${points(canonical).map(hex).join(' ')}`);
  if (compatible !== canonical) entries.push(`${hex(c)}~${points(compatible).map(hex).join(' ')}`);
  const number = combiningClass(c);
  if (number === 0) continue;
  const last = classes.at(-1);
  if (last && last[2] === number && last[1] === c - 1) last[1] = c;
  else classes.push([c, c, number]);
}
for (const [low, high, number] of classes) entries.push(`${hex(low)}-${hex(high)}=${hex(number)}`);

let line = '';
for (const entry of entries) {
  if (line.length + entry.length + 1 > 138) {
    console.log(line);
    line = '';
  }
  line += entry + ';';
}
console.log(line);
