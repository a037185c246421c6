namespace Cairn.Frameworks.Tokenizing.Patterns;

// Classes of characters in brackets, and POSIX's names for them.
internal sealed partial class PatternParser
{
    /// <summary>After the opening bracket, to its closing one.</summary>
    private CodePointSet Class()
    {
        if (++_depth > MostDepth) throw Wrong($"nests deeper than {MostDepth} classes");
        var negated = Take("^");
        var set = new CodePointSet();
        var cut = new List<CodePointSet>();
        for (var first = true; first || Next != ']'; first = false)
        {
            if (AtEnd) throw Wrong("lacks a ']'");
            if (Take("&&"))
            {
                cut.Add(set);
                set = new CodePointSet();
            }
            else if (Take("[:"))
            {
                set.Add(Posix());
            }
            else if (Take("["))
            {
                set.Add(Class());
            }
            else
            {
                ClassItem(set);
            }
        }
        _at++;
        _depth--;
        foreach (var part in cut) set = new CodePointSet().Add(set).Cut(part);
        return negated ? set.Negated() : set;
    }

    private CodePointSet Posix()
    {
        var negated = Take("^");
        var close = _source.IndexOf(":]", _at, StringComparison.Ordinal);
        if (close < 0) throw Wrong("has an unfinished POSIX class");
        var named = UnicodeClasses.Named(_source[_at..close]) ?? throw Wrong($"names the unknown class '{_source[_at..close]}'");
        _at = close + 2;
        return negated ? named.Negated() : named;
    }

    private void ClassItem(CodePointSet set)
    {
        int low;
        if (Take("\\"))
        {
            if (NamedClass() is { } named)
            {
                set.Add(named);
                return;
            }
            low = Take("b") ? 8 : EscapedCodePoint();
        }
        else
        {
            low = TakeCodePoint();
        }
        if (Next != '-' || _at + 1 >= _source.Length || _source[_at + 1] is ']' or '[')
        {
            set.Add(Single(low));
            return;
        }
        _at++;
        var high = Take("\\") ? EscapedCodePoint() : TakeCodePoint();
        if (high < low) throw Wrong("has a range whose end comes before its start");
        set.Add(Range(low, high));
    }
}
