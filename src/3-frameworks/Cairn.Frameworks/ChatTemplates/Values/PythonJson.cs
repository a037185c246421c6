using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>
/// Python's <c>json.dumps</c> with <c>ensure_ascii=False</c>, as the transformers library's <c>tojson</c> calls it: no HTML is escaped,
/// keys keep their order.
/// </summary>
internal sealed class PythonJson
{
    private readonly StringBuilder _output = new();
    private readonly string? _indent;
    private readonly string _comma;
    private readonly string _colon;
    private readonly bool _sorted;
    private readonly bool _ascii;

    private PythonJson(Arguments arguments)
    {
        _ascii = arguments.Flag(0, "ensure_ascii", false);
        _indent = arguments.Get(1, "indent") switch
        {
            null => null,
            string text => text,
            _ => new string(' ', Math.Clamp(arguments.Whole(1, "indent", 0), 0, 1000)),
        };
        var separators = arguments.Get(2, "separators") as TemplateList;
        if (separators is not null && (separators.Items.Count != 2
            || separators.Items.Any(one => one is not string))) throw new TemplateFault("tojson needs two texts as its separators");
        _comma = separators?.Items[0] as string ?? (_indent is null ? ", " : ",");
        _colon = separators?.Items[1] as string ?? ": ";
        _sorted = arguments.Flag(3, "sort_keys", false);
    }

    public static string Write(object? value, Arguments arguments)
    {
        var json = new PythonJson(arguments);
        json.Value(value, 0);
        return json._output.ToString();
    }

    private void Value(object? value, int depth)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (value)
        {
            case null: _output.Append("null"); break;
            case bool flag: _output.Append(flag ? "true" : "false"); break;
            case long or BigInteger: _output.Append(PythonText.Repr(value)); break;
            case double number: _output.Append(Real(number)); break;
            case string text: Text(text); break;
            case TemplateList list: Row('[', ']', list.Items.Select(item => ((string?)null, item)), depth); break;
            case TemplateDict dict: Row('{', '}', Entries(dict), depth); break;
            case Undefined missing: throw missing.Fault;
            default: throw new TemplateFault($"{PythonText.TypeOf(value)} has no form in JSON");
        }
        if (_output.Length > Running.Budget.MostCharacters) throw new TemplateFault($"a value is longer than {Running.Budget.MostCharacters} characters as JSON");
    }

    private IEnumerable<(string?, object?)> Entries(TemplateDict dict)
    {
        var entries = dict.KeyValues.Zip(dict.Values, (key, value) => ((string?)Key(key), value));
        return _sorted ? entries.OrderBy(entry => entry.Item1, PythonOperators.CodePoints) : entries;
    }

    private static string Key(object? key) => key switch
    {
        string text => text,
        null => "null",
        bool flag => flag ? "true" : "false",
        double number => Real(number),
        long or BigInteger => PythonText.Repr(key),
        _ => throw new TemplateFault($"{PythonText.TypeOf(key)} cannot be a key in JSON"),
    };

    private static string Real(double number) =>
        double.IsNaN(number) ? "NaN" : double.IsInfinity(number) ? number > 0 ? "Infinity" : "-Infinity" : PythonText.Real(number);

    private void Row(char open, char close, IEnumerable<(string? Key, object? Value)> items, int depth)
    {
        _output.Append(open);
        var empty = true;
        foreach (var (key, value) in items)
        {
            if (!empty) _output.Append(_comma);
            empty = false;
            Break(depth + 1);
            if (open == '{')
            {
                Text(key!);
                _output.Append(_colon);
            }
            Value(value, depth + 1);
        }
        if (!empty) Break(depth);
        _output.Append(close);
    }

    private void Break(int depth)
    {
        if (_indent is null) return;
        _output.Append('\n');
        for (var i = 0; i < depth; i++) _output.Append(_indent);
    }

    private void Text(string text)
    {
        _output.Append('"');
        foreach (var c in text)
        {
            switch (c)
            {
                case '"': _output.Append("\\\""); break;
                case '\\': _output.Append("\\\\"); break;
                case '\n': _output.Append("\\n"); break;
                case '\r': _output.Append("\\r"); break;
                case '\t': _output.Append("\\t"); break;
                case '\b': _output.Append("\\b"); break;
                case '\f': _output.Append("\\f"); break;
                case < ' ': _output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                case >= '\x7F' when _ascii && c != '\x7F': _output.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default: _output.Append(c); break;
            }
        }
        _output.Append('"');
    }
}
