namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>
/// A regular expression over code points, in Oniguruma's syntax. The framework's own expressions see UTF-16 units, so a class of letters
/// misses every letter beyond U+FFFF; they know no scripts and no possessive repeats. Work is bounded by the text's length, so no input
/// hangs. Safe for concurrent use.
/// </summary>
internal sealed class Pattern
{
    /// <summary>Steps that a search may take for each character of the text, and besides.</summary>
    private const long StepsPerCharacter = 256;
    private const long StepsBesides = 1 << 16;
    private readonly PatternStep[] _steps;

    private Pattern(PatternStep[] steps) => _steps = steps;

    /// <exception cref="FormatException">The pattern is malformed, or uses what is not supported.</exception>
    public static Pattern Parse(string source) => new(PatternCompiler.Compile(PatternParser.Parse(source)));

    /// <summary>Runs of characters of one class or of another, each as long as it can be.</summary>
    public static Pattern Runs(CodePointSet one, CodePointSet other) =>
        new(PatternCompiler.Compile(new PatternNode.Choice([Run(one), Run(other)])));

    /// <summary>A search of one text from its start, match by match.</summary>
    public Search In(ReadOnlySpan<char> text) => new(_steps, text);

    private static PatternNode.Repeat Run(CodePointSet set) => new(new PatternNode.One(set), 1, int.MaxValue, Greed.Possessive);

    /// <summary>Finds the matches of a pattern one after the other; they do not overlap, and empty ones are passed over.</summary>
    public ref struct Search
    {
        private readonly PatternStep[] _steps;
        private readonly ReadOnlySpan<char> _text;
        private PatternMachine _machine;
        private int _from;

        internal Search(PatternStep[] steps, ReadOnlySpan<char> text)
        {
            _steps = steps;
            _text = text;
            _machine = new PatternMachine(text, text.Length * StepsPerCharacter + StepsBesides);
        }

        /// <exception cref="PatternLimitException">The text needs more steps than are allowed for its length.</exception>
        public bool Next(out int start, out int end)
        {
            while (_from < _text.Length)
            {
                start = _from;
                end = _machine.Match(_steps, start);
                if (end > start)
                {
                    _from = end;
                    return true;
                }
                _from += char.IsHighSurrogate(_text[start]) && start + 1 < _text.Length ? 2 : 1;
            }
            start = end = _text.Length;
            return false;
        }
    }
}

/// <summary>A text drives a tokenizer's pattern into more work than its length allows.</summary>
internal sealed class PatternLimitException(string message) : Exception(message);
