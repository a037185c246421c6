namespace Cairn.Frameworks.Tokenizing.Splitting;

internal enum PrependScheme { Always, First, Never }

/// <summary>Writes spaces as a visible character, puts one in front, and cuts before each.</summary>
internal sealed class MetaspaceSplitter(char replacement, PrependScheme prepend, bool cut) : Splitter
{
    private readonly TextSplitter _words = new(replacement.ToString(), CutBehavior.MergedWithNext, invert: false);

    public override void Split(ReadOnlySpan<char> text, bool first, PieceSink next)
    {
        var written = text.ToString().Replace(' ', replacement);
        var wanted = prepend == PrependScheme.Always || (prepend == PrependScheme.First && first);
        if (wanted && written[0] != replacement) written = replacement + written;
        if (cut) _words.Split(written, first, next);
        else next(written, first);
    }
}
