using System.Text.Json;
using System.Text.Json.Nodes;
using System.Numerics;
using System.Globalization;

namespace Cairn.Frameworks.ChatTemplates.Values;

// A template's values are Python's: null is None; bool, long, BigInteger, double and string are themselves; TemplateList is a list or a
// tuple; TemplateDict is a dict that keeps its order; the rest are the types below.

/// <summary>A variable, entry or attribute that is not there. It prints as nothing and may be asked about, but not used.</summary>
internal sealed class Undefined(string what)
{
    public TemplateFault Fault => new($"{what} is undefined");
}

internal sealed class TemplateList(IReadOnlyList<object?> items, bool tuple = false)
{
    public IReadOnlyList<object?> Items { get; } = items;

    public bool IsTuple { get; } = tuple;
}

internal sealed class TemplateDict : OrderedDictionary<object, object?>
{
    public TemplateDict() : base(ValueComparer.Instance)
    {
    }

    /// <summary>A key stands as itself, None as this.</summary>
    public static object NoneKey { get; } = DBNull.Value;

    public void Put(object? key, object? value)
    {
        if (key is TemplateList { IsTuple: false } or TemplateDict
            or Undefined) throw new TemplateFault($"{PythonText.TypeOf(key)} cannot be a key");
        this[key ?? NoneKey] = value;
    }

    public bool TryFind(object? key, out object? value) => TryGetValue(key ?? NoneKey, out value);

    public IEnumerable<object?> KeyValues => Keys.Select(key => ReferenceEquals(key, NoneKey) ? null : key);
}

/// <summary><c>namespace()</c>: what a loop may assign to and outlives it.</summary>
internal sealed class TemplateNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>Something to call.</summary>
internal sealed record TemplateFunction(string Name, Func<Arguments, object?> Call);

/// <summary>Keys are equal as Python's are: 1, 1.0 and True are one.</summary>
internal sealed class ValueComparer : IEqualityComparer<object>
{
    public static ValueComparer Instance { get; } = new();

    public new bool Equals(object? x, object? y) => PythonOperators.Same(x, y);

    public int GetHashCode(object value) => value switch
    {
        string text => string.GetHashCode(text, StringComparison.Ordinal),
        bool flag => (flag ? 1.0 : 0.0).GetHashCode(),
        long number => ((double)number).GetHashCode(),
        BigInteger number => ((double)number).GetHashCode(),
        double number => number.GetHashCode(),
        TemplateList list => list.Items.Aggregate(17, (hash, item) => hash * 31 + (item is null ? 0 : GetHashCode(item))),
        _ => value.GetHashCode(),
    };
}

internal static class TemplateJson
{
    /// <summary>A JSON value as the template sees it.</summary>
    public static object? Read(JsonNode? node)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (node)
        {
            case null: return null;
            case JsonObject fields:
                var dict = new TemplateDict();
                foreach (var (name, value) in fields) dict.Put(name, Read(value));
                return dict;
            case JsonArray items: return new TemplateList([.. items.Select(Read)]);
            default: return Scalar(node);
        }
    }

    private static object? Scalar(JsonNode node)
    {
        switch (node.GetValueKind())
        {
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.Null: return null;
            case JsonValueKind.String: return node.GetValue<string>();
        }
        var written = node.ToJsonString();
        if (!written.AsSpan().ContainsAny(".eE"))
        {
            if (long.TryParse(written, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small)) return small;
            if (written.Length < 1000 && BigInteger.TryParse(written, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                out var large)) return large;
        }
        return double.Parse(written, CultureInfo.InvariantCulture);
    }
}
