using System.Numerics;

namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>What a function, filter or test is called with.</summary>
internal sealed class Arguments(string called, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
{
    private static readonly Dictionary<string, object?> NoneNamed = [];

    public string Called => called;

    public IReadOnlyList<object?> Positional => positional;

    public IReadOnlyDictionary<string, object?> Named => named;

    public static Arguments Of(string called, params object?[] positional) => new(called, positional, NoneNamed);

    public int Count => positional.Count;

    /// <summary>Null where neither a position nor a name gives it.</summary>
    public bool TryGet(int position, string name, out object? value)
    {
        if (position >= 0 && position < positional.Count)
        {
            value = positional[position];
            return true;
        }
        return named.TryGetValue(name, out value);
    }

    public object? Get(int position, string name, object? otherwise = null) => TryGet(position, name, out var value) ? value : otherwise;

    public object? Must(int position, string name) =>
        TryGet(position, name, out var value) ? value : throw new TemplateFault($"{called} needs its argument '{name}'");

    public string Text(int position, string name, string? otherwise = null) => Get(position, name, otherwise) switch
    {
        string text => text,
        Undefined missing => throw missing.Fault,
        null when otherwise is null => throw new TemplateFault($"{called} needs a text as its argument '{name}'"),
        var other => throw new TemplateFault($"{called} needs a text as its argument '{name}', not {PythonText.TypeOf(other)}"),
    };

    public int Whole(int position, string name, int otherwise) => Get(position, name, (long)otherwise) switch
    {
        long number => (int)Math.Clamp(number, int.MinValue + 1, int.MaxValue),
        BigInteger large => large.Sign < 0 ? int.MinValue + 1 : int.MaxValue,
        bool flag => flag ? 1 : 0,
        var other => throw new TemplateFault($"{called} needs a whole number as its argument '{name}', not {PythonText.TypeOf(other)}"),
    };

    public bool Flag(int position, string name, bool otherwise) => TryGet(position, name, out var value) ? PythonOperators.Truth(value)
        : otherwise;
}
