using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Running;

/// <summary>What a loop's body sees as <c>loop</c>.</summary>
internal sealed class LoopState(IReadOnlyList<object?> items, int depth, Func<object?, string>? recurse)
{
    private IReadOnlyList<object?>? _last;

    public int At { get; set; }

    public int Depth => depth;

    public object? Member(string name) => name switch
    {
        "index" => At + 1L,
        "index0" => (long)At,
        "revindex" => (long)(items.Count - At),
        "revindex0" => (long)(items.Count - At - 1),
        "first" => At == 0,
        "last" => At == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => At > 0 ? items[At - 1] : new Undefined("'loop.previtem'"),
        "nextitem" => At + 1 < items.Count ? items[At + 1] : new Undefined("'loop.nextitem'"),
        "cycle" => new TemplateFunction("loop.cycle", arguments =>
            arguments.Count > 0 ? arguments.Positional[At % arguments.Count]
                : throw new TemplateFault("loop.cycle needs something to cycle through")),
        "changed" => new TemplateFunction("loop.changed", Changed),
        _ => new Undefined($"'loop.{name}'"),
    };

    public string Recurse(object? deeper) =>
        recurse is not null ? recurse(deeper) : throw new TemplateFault("the loop is called but not marked 'recursive'");

    private object Changed(Arguments arguments)
    {
        var same = _last is not null && PythonOperators.Same(new TemplateList(_last), new TemplateList(arguments.Positional));
        _last = arguments.Positional;
        return !same;
    }
}
