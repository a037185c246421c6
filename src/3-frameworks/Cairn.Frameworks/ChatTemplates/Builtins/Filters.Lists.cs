using System.Globalization;
using Cairn.Frameworks.ChatTemplates.Running;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

internal static partial class Filters
{
    /// <summary>An attribute by its path: <c>function.name</c>, with numbers for places in lists.</summary>
    private static object? Attribute(object? item, object? path, object? otherwise = null)
    {
        if (path is null) return item;
        if (path is not string text) return Members.Item(item, path) is var found && found is Undefined && otherwise is not null
            ? otherwise : found;
        foreach (var part in text.Split('.'))
        {
            item = long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? Members.Item(item, place)
                : Members.Item(item, part);
            if (item is Undefined && otherwise is not null) item = otherwise;
        }
        return item;
    }

    private static object? Folded(object? value, bool caseSensitive) => value is string text && !caseSensitive ? PythonStrings.Lower(text)
        : value;

    private static string Join(Rendering rendering, object? value, Arguments with)
    {
        var (attribute, output) = (with.Get(1, "attribute"), new System.Text.StringBuilder());
        var separator = with.Get(0, "d") is null ? "" : with.Text(0, "d");
        var first = true;
        foreach (var item in Sequences.Iterate(value))
        {
            if (!first) output.Append(separator);
            first = false;
            output.Append(PythonText.Str(Attribute(item, attribute)));
            if (output.Length > Budget.MostCharacters) throw new TemplateFault($"a text is longer than {Budget.MostCharacters} characters");
        }
        return rendering.Budget.Text(output.ToString());
    }

    private static TemplateList Map(Rendering rendering, object? value, Arguments with)
    {
        var items = Sequences.Iterate(value);
        rendering.Budget.Step(items.Count);
        if (with.Count == 0)
        {
            var (attribute, otherwise) = (with.Must(-1, "attribute"), with.Get(-1, "default"));
            return new TemplateList([.. items.Select(item => Attribute(item, attribute, otherwise))]);
        }
        var inner = new Arguments(with.Text(0, "filter"), [.. with.Positional.Skip(1)], with.Named);
        return new TemplateList([.. items.Select(item => Apply(rendering, inner.Called, item, inner))]);
    }

    private static TemplateList Select(Rendering rendering, object? value, Arguments with, bool byAttribute, bool wanted)
    {
        var items = Sequences.Iterate(value);
        rendering.Budget.Step(items.Count);
        var at = byAttribute ? 1 : 0;
        var attribute = byAttribute ? with.Must(0, "attribute") : null;
        var inner = with.Count > at ? new Arguments(with.Text(at, "test"), [.. with.Positional.Skip(at + 1)], with.Named) : null;
        return new TemplateList([.. items.Where(item =>
        {
            var tested = Attribute(item, attribute);
            return wanted == (inner is null ? PythonOperators.Truth(tested) : Tests.Holds(inner.Called, tested, inner));
        })]);
    }

    private static TemplateList Sort(Rendering rendering, object? value, Arguments with)
    {
        var (reverse, sensitive, attribute) = (with.Flag(0, "reverse", false), with.Flag(1, "case_sensitive", false),
            with.Get(2, "attribute"));
        var paths = attribute is string text ? text.Split(',') : null;
        return new TemplateList(Ordered(rendering, Sequences.Iterate(value), reverse, item => paths is null
            ? Folded(Attribute(item, attribute), sensitive)
            : new TemplateList([.. paths.Select(path => Folded(Attribute(item, path), sensitive))])));
    }

    private static List<object?> Ordered(Rendering rendering, IReadOnlyList<object?> items, bool reverse, Func<object?, object?> key)
    {
        rendering.Budget.Step(items.Count * 4L);
        var keyed = items.Select(item => (Key: key(item), Item: item)).ToList();
        var by = Comparer<object?>.Create(PythonOperators.Order);
        // Equal ones keep their order, also in reverse.
        try
        {
            return [.. (reverse ? keyed.OrderByDescending(one => one.Key, by) : keyed.OrderBy(one => one.Key, by)).Select(one => one.Item)];
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateFault fault)
        {
            throw new TemplateFault(fault.Message);
        }
    }

    private static TemplateList Unique(Rendering rendering, object? value, Arguments with)
    {
        var (sensitive, attribute) = (with.Flag(0, "case_sensitive", false), with.Get(1, "attribute"));
        var (seen, kept) = (new TemplateDict(), new List<object?>());
        foreach (var item in Sequences.Iterate(value))
        {
            var key = Folded(Attribute(item, attribute), sensitive);
            if (seen.TryFind(key, out _)) continue;
            seen.Put(key, null);
            kept.Add(item);
        }
        return new TemplateList(kept);
    }

    private static TemplateList DictSort(Rendering rendering, object? value, Arguments with)
    {
        if (value is not TemplateDict dict) throw new TemplateFault($"dictsort needs a dict, not {PythonText.TypeOf(value)}");
        var sensitive = with.Flag(0, "case_sensitive", false);
        var place = with.Text(1, "by", "key") switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw new TemplateFault("dictsort goes by key or by value"),
        };
        return new TemplateList(Ordered(rendering, Members.Items(dict).Items, with.Flag(2, "reverse", false),
            item => Folded(((TemplateList)item!).Items[place], sensitive)));
    }

    private static object? Sum(Rendering rendering, object? value, Arguments with)
    {
        var (attribute, sum) = (with.Get(0, "attribute"), with.Get(1, "start", 0L));
        foreach (var item in Sequences.Iterate(value)) sum = PythonOperators.Binary("+", sum, Attribute(item, attribute));
        return sum;
    }

    private static object? Extreme(object? value, Arguments with, int sign)
    {
        var (sensitive, attribute) = (with.Flag(0, "case_sensitive", false), with.Get(1, "attribute"));
        var items = Sequences.Iterate(value);
        if (items.Count == 0) return new Undefined("the least or greatest of no items");
        var best = items[0];
        foreach (var item in items)
        {
            if (PythonOperators.Order(Folded(Attribute(item, attribute), sensitive),
                Folded(Attribute(best, attribute), sensitive)) * sign > 0) best = item;
        }
        return best;
    }

    private static TemplateList Batch(Rendering rendering, object? value, Arguments with)
    {
        var (count, fill) = (Math.Max(1, with.Whole(0, "linecount", 1)), with.Get(1, "fill_with"));
        var rows = Sequences.Iterate(value).Chunk(count).Select(row => row.ToList()).ToList();
        if (fill is not null && rows.Count > 0)
        {
            rendering.Budget.Step(count);
            while (rows[^1].Count < count) rows[^1].Add(fill);
        }
        return new TemplateList([.. rows.Select(row => new TemplateList(row))]);
    }

    private static TemplateList GroupBy(Rendering rendering, object? value, Arguments with)
    {
        var (attribute, sensitive) = (with.Must(0, "attribute"), with.Flag(2, "case_sensitive", false));
        var (groups, otherwise) = (new List<(object? Folded, object? Key, List<object?> Items)>(), with.Get(1, "default"));
        foreach (var item in Ordered(rendering, Sequences.Iterate(value), false, item => Folded(Key(item), sensitive)))
        {
            var folded = Folded(Key(item), sensitive);
            if (groups.Count == 0 || !PythonOperators.Same(groups[^1].Folded, folded)) groups.Add((folded, Key(item), []));
            groups[^1].Items.Add(item);
        }
        return new TemplateList([.. groups.Select(group => new TemplateList([group.Key, new TemplateList(group.Items)], tuple: true))]);

        object? Key(object? item) => Attribute(item, attribute, otherwise);
    }
}
