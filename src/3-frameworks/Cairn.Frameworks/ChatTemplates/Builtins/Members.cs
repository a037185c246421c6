using Cairn.Frameworks.ChatTemplates.Running;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>
/// What stands behind a dot or in brackets. As in Jinja's immutable sandbox, nothing that changes a list or a dict may be called.
/// </summary>
internal static class Members
{
    private static readonly string[] Mutating =
        ["append", "extend", "insert", "remove", "sort", "reverse", "clear", "pop", "popitem", "setdefault", "update", "add", "discard"];

    /// <summary><c>value.name</c>: a method, else an entry.</summary>
    public static object? Get(object? value, string name)
    {
        if (value is Undefined missing) throw missing.Fault;
        if (Method(value, name) is { } method) return method;
        return value switch
        {
            TemplateDict dict when dict.TryFind(name, out var found) => found,
            TemplateNamespace space when space.Attributes.TryGetValue(name, out var found) => found,
            LoopState loop => loop.Member(name),
            _ => new Undefined($"'{name}' of {PythonText.TypeOf(value)}"),
        };
    }

    /// <summary><c>value[key]</c>: an entry or item, else a method.</summary>
    public static object? Item(object? value, object? key)
    {
        if (value is Undefined missing) throw missing.Fault;
        if (value is TemplateDict dict && dict.TryFind(key, out var found)) return found;
        if (Sequences.TryAt(value, key, out var item)) return item;
        return key is string name ? Get(value, name) : new Undefined($"the item {PythonText.Repr(key)} of {PythonText.TypeOf(value)}");
    }

    private static TemplateFunction? Method(object? value, string name) => value switch
    {
        string text => StringMethods.Find(text, name),
        TemplateDict dict => OfDict(dict, name),
        TemplateList list => OfList(list, name),
        _ => null,
    };

    private static TemplateFunction? OfDict(TemplateDict dict, string name)
    {
        Func<Arguments, object?>? call = name switch
        {
            "get" => arguments => dict.TryFind(arguments.Must(0, "key"), out var found) ? found : arguments.Get(1, "default"),
            "items" => _ => Items(dict),
            "keys" => _ => new TemplateList([.. dict.KeyValues]),
            "values" => _ => new TemplateList([.. dict.Values]),
            "copy" => _ => dict,
            _ => Forbidden(name),
        };
        return call is null || (Mutating.Contains(name) && dict.ContainsKey(name)) ? null : new TemplateFunction(name, call);
    }

    public static TemplateList Items(TemplateDict dict) =>
        new([.. dict.KeyValues.Zip(dict.Values, (key, value) => new TemplateList([key, value], tuple: true))]);

    private static TemplateFunction? OfList(TemplateList list, string name)
    {
        Func<Arguments, object?>? call = name switch
        {
            "index" => arguments => Index(list, arguments),
            "count" => arguments => (long)list.Items.Count(item => PythonOperators.Same(item, arguments.Must(0, "value"))),
            "copy" => _ => list,
            _ => list.IsTuple ? null : Forbidden(name),
        };
        return call is null ? null : new TemplateFunction(name, call);
    }

    private static object Index(TemplateList list, Arguments arguments)
    {
        var wanted = arguments.Must(0, "value");
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (PythonOperators.Same(list.Items[i], wanted)) return (long)i;
        }
        throw new TemplateFault($"{PythonText.Repr(wanted)} is not in the list");
    }

    private static Func<Arguments, object?>? Forbidden(string name) => Mutating.Contains(name)
        ? _ => throw new TemplateFault($"'{name}' changes a list or dict, which chat templates may not")
        : null;
}
