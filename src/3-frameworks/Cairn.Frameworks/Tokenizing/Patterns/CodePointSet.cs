using System.Globalization;

namespace Cairn.Frameworks.Tokenizing.Patterns;

/// <summary>A class of characters in a pattern: ranges, general categories and other classes, united, cut or negated.</summary>
internal sealed class CodePointSet
{
    private readonly List<(int Low, int High)> _ranges = [];
    private readonly List<CodePointSet> _united = [];
    private readonly List<CodePointSet> _cut = [];
    private int _categories;
    private bool _negated;
    private UInt128 _ascii;
    private bool _sealed;

    public static CodePointSet Of(params (int Low, int High)[] ranges)
    {
        var set = new CodePointSet();
        foreach (var (low, high) in ranges) set.Add(low, high);
        return set;
    }

    public static CodePointSet OfCategories(params UnicodeCategory[] categories)
    {
        var set = new CodePointSet();
        foreach (var category in categories) set._categories |= 1 << (int)category;
        return set;
    }

    public CodePointSet Add(int low, int high)
    {
        _ranges.Add((low, high));
        return this;
    }

    public CodePointSet Add(CodePointSet other)
    {
        _united.Add(other);
        return this;
    }

    /// <summary>Only what is in <paramref name="other"/> too.</summary>
    public CodePointSet Cut(CodePointSet other)
    {
        _cut.Add(other);
        return this;
    }

    public CodePointSet Negate()
    {
        _negated = !_negated;
        return this;
    }

    public CodePointSet Negated() => new CodePointSet().Add(this).Negate();

    /// <summary>Works out the answers for ASCII; nothing may be added after.</summary>
    public CodePointSet Seal()
    {
        if (_sealed) return this;
        foreach (var part in _united) part.Seal();
        foreach (var part in _cut) part.Seal();
        for (var c = 0; c < 128; c++)
        {
            if (Work(c)) _ascii |= UInt128.One << c;
        }
        _sealed = true;
        return this;
    }

    public bool Contains(int codePoint) =>
        _sealed && codePoint < 128 ? (_ascii >> codePoint & 1) != 0 : Work(codePoint);

    private bool Work(int codePoint)
    {
        var inside = _categories != 0 && (_categories >> (int)CharUnicodeInfo.GetUnicodeCategory(codePoint) & 1) != 0;
        foreach (var (low, high) in _ranges)
        {
            if (inside) break;
            inside = codePoint >= low && codePoint <= high;
        }
        foreach (var part in _united)
        {
            if (inside) break;
            inside = part.Contains(codePoint);
        }
        foreach (var part in _cut)
        {
            if (!inside) break;
            inside = part.Contains(codePoint);
        }
        return inside != _negated;
    }
}
