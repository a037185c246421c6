using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>The functions that every template sees: Jinja's own, and those that the transformers library adds.</summary>
internal static class Globals
{
    /// <summary>Jinja's sandbox has the same bound.</summary>
    private const int LongestRange = 100_000;

    public static IEnumerable<(string Name, object? Function)> Make(DateTimeOffset now) =>
    [
        Of("range", Range),
        Of("namespace", Namespace),
        Of("dict", Dict),
        Of("raise_exception", arguments => throw new TemplateFault("the template refuses: " + PythonText.Str(arguments.Get(0, "message")))),
        Of("strftime_now", arguments => Strftime.Format(now, arguments.Text(0, "format"))),
        Of("joiner", Joiner),
        Of("cycler", Cycler),
    ];

    private static (string, object?) Of(string name, Func<Arguments, object?> call) => (name, new TemplateFunction(name, call));

    private static TemplateList Range(Arguments arguments)
    {
        if (arguments.Count is < 1 or > 3) throw new TemplateFault("range needs one to three whole numbers");
        long start = arguments.Count > 1 ? arguments.Whole(0, "start", 0) : 0;
        long stop = arguments.Whole(arguments.Count > 1 ? 1 : 0, "stop", 0);
        long step = arguments.Whole(2, "step", 1);
        if (step == 0) throw new TemplateFault("range's step is zero");
        var count = step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step;
        if (count > LongestRange) throw new TemplateFault($"a range is longer than {LongestRange} items");
        var items = new List<object?>();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step) items.Add(i);
        return new TemplateList(items);
    }

    private static TemplateNamespace Namespace(Arguments arguments)
    {
        var made = new TemplateNamespace();
        foreach (var (key, value) in Dict(arguments)) made.Attributes[PythonText.Str(key)] = value;
        return made;
    }

    private static TemplateDict Dict(Arguments arguments)
    {
        var made = new TemplateDict();
        foreach (var entry in arguments.Count > 0 ? Entries(arguments.Positional[0]) : []) made.Put(entry.Key, entry.Value);
        foreach (var (name, value) in arguments.Named) made.Put(name, value);
        return made;
    }

    private static IEnumerable<(object? Key, object? Value)> Entries(object? value)
    {
        if (value is TemplateDict dict) value = Members.Items(dict);
        foreach (var item in Sequences.Iterate(value))
        {
            var pair = Sequences.Iterate(item);
            if (pair.Count != 2) throw new TemplateFault("dict needs pairs of a key and a value");
            yield return (pair[0], pair[1]);
        }
    }

    private static TemplateFunction Joiner(Arguments arguments)
    {
        var (separator, used) = (arguments.Text(0, "sep", ", "), false);
        return new TemplateFunction("joiner", _ =>
        {
            var now = used ? separator : "";
            used = true;
            return now;
        });
    }

    private static TemplateNamespace Cycler(Arguments arguments)
    {
        if (arguments.Count == 0) throw new TemplateFault("cycler needs something to cycle through");
        var (cycler, at) = (new TemplateNamespace(), 0);
        cycler.Attributes["current"] = arguments.Positional[0];
        cycler.Attributes["next"] = new TemplateFunction("cycler.next", _ => Move(arguments.Positional[at], at + 1));
        cycler.Attributes["reset"] = new TemplateFunction("cycler.reset", _ => Move(null, 0));
        return cycler;

        object? Move(object? answer, int to)
        {
            at = to % arguments.Count;
            cycler.Attributes["current"] = arguments.Positional[at];
            return answer;
        }
    }
}
