namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>Iterating, indexing and slicing, as Python does.</summary>
internal static class Sequences
{
    public static IReadOnlyList<object?> Iterate(object? value) => value switch
    {
        TemplateList list => list.Items,
        TemplateDict dict => [.. dict.KeyValues],
        string text => PythonStrings.Characters(text),
        Undefined => [],
        _ => throw new TemplateFault($"{PythonText.TypeOf(value)} cannot be iterated"),
    };

    public static long Length(object? value) => value switch
    {
        TemplateList list => list.Items.Count,
        TemplateDict dict => dict.Count,
        string text => PythonStrings.Length(text),
        Undefined => 0,
        _ => throw new TemplateFault($"{PythonText.TypeOf(value)} has no length"),
    };

    /// <summary>An item by its place, counted from the end where it is negative; false where there is none.</summary>
    public static bool TryAt(object? value, object? key, out object? item)
    {
        item = null;
        if (!PythonOperators.IsWhole(key) || value is not (TemplateList or string)) return false;
        var length = Length(value);
        var at = PythonOperators.Whole(key);
        if (at.Sign < 0) at += length;
        if (at.Sign < 0 || at >= length) return false;
        item = value switch
        {
            TemplateList list => list.Items[(int)at],
            string text when text.Length == length => text[(int)at].ToString(),
            _ => PythonStrings.Characters((string)value)[(int)at],
        };
        return true;
    }

    public static object? Slice(object? value, object? start, object? stop, object? step)
    {
        if (value is Undefined missing) throw missing.Fault;
        if (value is not (TemplateList or string)) throw new TemplateFault($"{PythonText.TypeOf(value)} cannot be sliced");
        var (length, by) = (Length(value), Bound(step, 1));
        if (by == 0) throw new TemplateFault("a slice's step is zero");
        var (least, most) = by > 0 ? (0L, length) : (-1L, length - 1);
        var from = start is null ? (by > 0 ? least : most) : Clamp(Bound(start, 0));
        var to = stop is null ? (by > 0 ? most : least) : Clamp(Bound(stop, 0));
        var whole = value as string;
        if (whole is not null && by == 1 && whole.Length == length) return from < to ? whole[(int)from..(int)to] : "";
        var items = whole is null ? ((TemplateList)value).Items : PythonStrings.Characters(whole);
        var taken = new List<object?>();
        for (var i = from; by > 0 ? i < to : i > to; i += by) taken.Add(items[(int)i]);
        return whole is null ? new TemplateList(taken, ((TemplateList)value).IsTuple) : string.Concat(taken);

        long Clamp(long at) => Math.Clamp(at < 0 ? at + length : at, least, most);
    }

    private static long Bound(object? value, long otherwise) => value switch
    {
        null => otherwise,
        _ when PythonOperators.IsWhole(value) => (long)System.Numerics.BigInteger.Max(int.MinValue,
            System.Numerics.BigInteger.Min(int.MaxValue, PythonOperators.Whole(value))),
        _ => throw new TemplateFault($"a slice goes by whole numbers, not {PythonText.TypeOf(value)}"),
    };
}
