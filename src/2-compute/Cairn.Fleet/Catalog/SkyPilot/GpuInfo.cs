using System.Globalization;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>What the <c>GpuInfo</c> column says of the cards of a machine.</summary>
/// <param name="Name">Sometimes more exact than <c>AcceleratorName</c>: <c>H100 PCIe</c>.</param>
/// <param name="Manufacturer">Empty where absent.</param>
/// <param name="Size">The number under <c>SizeInMiB</c>, whose unit and count cannot be trusted; 0 where absent.</param>
internal sealed record GpuInfo(string Name, string Manufacturer, decimal Size)
{
    /// <summary>
    /// The column holds a Python literal: <c>{'Gpus': [{'Name': 'V100', 'Manufacturer': 'NVIDIA', 'Count': 8.0, 'MemoryInfo':
    /// {'SizeInMiB': 16384}}], …}</c>.
    /// </summary>
    /// <returns>Null where it is something else, such as a bare name: some providers write that.</returns>
    public static GpuInfo? Parse(string text)
    {
        if (PythonLiteral.Parse(text) is not Dictionary<string, object?> info || info.GetValueOrDefault("Gpus") is not List<object?> gpus)
            return null;
        if (gpus.FirstOrDefault() is not Dictionary<string, object?> gpu)
            return null;
        var memory = gpu.GetValueOrDefault("MemoryInfo") as Dictionary<string, object?>;
        return new GpuInfo(
            gpu.GetValueOrDefault("Name") as string ?? "",
            gpu.GetValueOrDefault("Manufacturer") as string ?? "",
            memory?.GetValueOrDefault("SizeInMiB") is decimal size and > 0 and < 100_000_000 ? size : 0);
    }
}

/// <summary>
/// Reads Python's literals of dicts, lists, tuples, strings, numbers and names. Anything else reads as null; nothing throws.
/// </summary>
internal ref struct PythonLiteral
{
    private const int MaxDepth = 16;

    private readonly ReadOnlySpan<char> _text;
    private int _at;
    private bool _failed;

    private PythonLiteral(ReadOnlySpan<char> text) => _text = text;

    public static object? Parse(ReadOnlySpan<char> text)
    {
        var reader = new PythonLiteral(text);
        var value = reader.Value(0);
        reader.SkipBlanks();
        return reader._failed || reader._at < text.Length ? null : value;
    }

    private object? Value(int depth)
    {
        SkipBlanks();
        if (_at == _text.Length || depth > MaxDepth)
            return Fail();
        switch (_text[_at])
        {
            case '{':
                return Dict(depth);
            case '[':
                return List(depth, ']');
            case '(':
                return List(depth, ')');
            case '\'' or '"':
                return Text();
            default:
                return Word();
        }
    }

    private Dictionary<string, object?>? Dict(int depth)
    {
        var dict = new Dictionary<string, object?>(StringComparer.Ordinal);
        _at++;
        while (!_failed && !Take('}'))
        {
            var key = Value(depth + 1) as string;
            if (key is null || !Take(':'))
                return (Dictionary<string, object?>?)Fail();
            dict[key] = Value(depth + 1);
            if (!Take(',') && !Ahead('}'))
                Fail();
        }

        return dict;
    }

    private List<object?> List(int depth, char end)
    {
        var list = new List<object?>();
        _at++;
        while (!_failed && !Take(end))
        {
            list.Add(Value(depth + 1));
            if (!Take(',') && !Ahead(end))
                Fail();
        }

        return list;
    }

    private string? Text()
    {
        var quote = _text[_at++];
        var start = _at;
        var end = _text[start..].IndexOf(quote);
        if (end < 0)
            return (string?)Fail();
        _at = start + end + 1;
        return _text.Slice(start, end).ToString();
    }

    private object? Word()
    {
        var start = _at;
        while (_at < _text.Length && !" ,:{}[]()\t".Contains(_text[_at], StringComparison.Ordinal))
            _at++;
        var word = _text[start.._at];
        if (decimal.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number;
        return word is "None" or "True" or "False" or "nan" ? null : Fail();
    }

    private bool Take(char c)
    {
        if (!Ahead(c))
            return false;
        _at++;
        return true;
    }

    private bool Ahead(char c)
    {
        SkipBlanks();
        return _at < _text.Length && _text[_at] == c;
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\r' or '\n')
            _at++;
    }

    private object? Fail()
    {
        _failed = true;
        return null;
    }
}
