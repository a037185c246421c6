using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Cairn.Contracts.Workloads.Yaml;

/// <summary>
/// Builds trees from YAML events within fixed limits, so that no file can make the rest of the parser slow: depth, nodes with aliases
/// written out, one value per key. Merge keys (<c>&lt;&lt;</c>) are resolved here; tags are refused.
/// </summary>
internal sealed class YamlTree
{
    public const int MaxDepth = 32;

    public const int MaxNodes = 50_000;

    private readonly Findings _findings;
    private readonly Parser _parser;
    private readonly Dictionary<string, YamlNode?> _anchors = new(StringComparer.Ordinal);
    private int _nodes;
    private bool _stopped;

    private YamlTree(string text, Findings findings)
    {
        _findings = findings;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <returns>The documents before the first error that hides the rest; the error is among the findings.</returns>
    public static List<YamlDocument> Read(string text, Findings findings)
    {
        var documents = new List<YamlDocument>();
        var tree = new YamlTree(text, findings);
        try
        {
            tree.ReadStream(documents);
        }
        catch (YamlException wrong)
        {
            YamlSyntax.Report(text, wrong, findings);
        }
        catch (Exception wrong) when (wrong is ArgumentException or InvalidOperationException)
        {
            // YamlDotNet throws the first for a tag or an anchor without a name, the second for a bracket that is never closed; both
            // without a place, so the last thing that it could read has to do.
            var last = tree._parser.Current?.End ?? Mark.Empty;
            var what = wrong is ArgumentException
                ? "a tag or an anchor here has no name" : "a bracket that opens before this is not closed";
            findings.Error(Math.Max(1, (int)last.Line), Math.Max(1, (int)last.Column), DiagnosticCodes.Syntax, $"not valid YAML: {what}");
        }

        return documents;
    }

    private void ReadStream(List<YamlDocument> documents)
    {
        while (!_stopped && _parser.MoveNext())
        {
            if (_parser.Current is not DocumentStart start)
                continue;
            _anchors.Clear();
            _parser.MoveNext();
            var root = ReadNode(depth: 1);
            if (!_stopped)
                documents.Add(new YamlDocument(root is YamlScalar { IsNull: true } ? null : root, (int)start.Start.Line));
        }
    }

    /// <summary>Reads the node of the current event and leaves the parser on the node's last event.</summary>
    private YamlNode? ReadNode(int depth)
    {
        if (_parser.Current is AnchorAlias alias)
            return Resolve(alias, depth);
        if (_parser.Current is not NodeEvent node)
            return null;
        if (depth > MaxDepth)
            return Stop(node, $"nested deeper than {MaxDepth} levels");
        if (++_nodes > MaxNodes)
            return Stop(node, $"more than {MaxNodes:N0} values");
        if (!node.Tag.IsEmpty && !(node.Tag.IsNonSpecific && node is not Scalar { Style: ScalarStyle.Plain }))
            _findings.Error(Line(node), Column(node), DiagnosticCodes.Syntax,
                $"the tag {Excerpt.Of(node.Tag.Value)} is not accepted; write the value without it");
        var anchor = node.Anchor.IsEmpty ? null : node.Anchor.Value;
        if (anchor is not null)
            _anchors[anchor] = null;
        YamlNode? read = node switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, scalar.Style == ScalarStyle.Plain, Line(scalar), Column(scalar)),
            SequenceStart start => ReadSequence(start, depth),
            MappingStart start => ReadMapping(start, depth),
            _ => null,
        };
        if (anchor is not null)
            _anchors[anchor] = read;
        return read;
    }

    private YamlNode? Resolve(AnchorAlias alias, int depth)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var target))
        {
            var near = Nearest.Suggestion(alias.Value.Value, _anchors.Keys);
            return StopAs(DiagnosticCodes.UnknownName, alias,
                $"no anchor '&{Excerpt.Of(alias.Value.Value)}' stands before this alias{near}");
        }

        if (target is null)
            return StopAs(DiagnosticCodes.Syntax, alias, $"the anchor '&{Excerpt.Of(alias.Value.Value)}' contains itself");
        if (depth - 1 + target.Height > MaxDepth)
            return Stop(alias, $"nested deeper than {MaxDepth} levels once aliases are written out");
        _nodes += target.Size;
        return _nodes > MaxNodes ? Stop(alias, $"more than {MaxNodes:N0} values once aliases are written out") : target;
    }

    private YamlSequence ReadSequence(SequenceStart start, int depth)
    {
        var sequence = new YamlSequence(Line(start), Column(start));
        while (!_stopped && _parser.MoveNext() && _parser.Current is not SequenceEnd)
        {
            if (ReadNode(depth + 1) is { } item)
                sequence.Items.Add(Grow(sequence, item));
        }

        return sequence;
    }

    private YamlMapping ReadMapping(MappingStart start, int depth)
    {
        var mapping = new YamlMapping(Line(start), Column(start));
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        var merges = new List<YamlNode>();
        while (!_stopped && _parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            if (_stopped || !_parser.MoveNext())
                break;
            var value = ReadNode(depth + 1);
            if (key is null || value is null)
                break;
            if (key is not YamlScalar { IsNull: false } name)
                _findings.Error(key.Line, key.Column, DiagnosticCodes.WrongType, $"expected a word as key, found {key.Described}");
            else if (name is { IsPlain: true, Text: "<<" })
                merges.Add(value);
            else if (first.TryAdd(name.Text, name.Line))
                mapping.Entries.Add(new YamlEntry(name, Grow(mapping, value)));
            else
                _findings.Error(name.Line, name.Column, DiagnosticCodes.DuplicateKey,
                    $"'{Excerpt.Of(name.Text)}' stands here already, on line {first[name.Text]}");
        }

        foreach (var merge in merges)
            Merge(mapping, merge, first);
        return mapping;
    }

    /// <summary>YAML 1.1's merge key: keys of the mapping itself win, then those of earlier sources.</summary>
    private void Merge(YamlMapping into, YamlNode source, Dictionary<string, int> present)
    {
        switch (source)
        {
            case YamlMapping mapping:
                foreach (var entry in mapping.Entries)
                {
                    if (present.TryAdd(entry.Key.Text, entry.Key.Line))
                        into.Entries.Add(entry with { Value = Grow(into, entry.Value) });
                }

                break;
            case YamlSequence sequence when sequence.Items.All(item => item is YamlMapping):
                foreach (var item in sequence.Items)
                    Merge(into, item, present);
                break;
            default:
                _findings.Error(
                    source.Line, source.Column, DiagnosticCodes.WrongType, $"expected a mapping to merge, found {source.Described}");
                break;
        }
    }

    private static YamlNode Grow(YamlNode parent, YamlNode child)
    {
        // Saturates below overflow: a larger branch cannot be reached by an alias anyway.
        parent.Size = Math.Min(parent.Size + child.Size + 1, MaxNodes + 1);
        parent.Height = Math.Max(parent.Height, child.Height + 1);
        return child;
    }

    private YamlNode? Stop(ParsingEvent at, string what) =>
        StopAs(DiagnosticCodes.Limit, at, $"{what}; a workload file may not be so large");

    private YamlNode? StopAs(string code, ParsingEvent at, string message)
    {
        if (!_stopped)
            _findings.Error(Line(at), Column(at), code, message);
        _stopped = true;
        return null;
    }

    private static int Line(ParsingEvent at) => (int)at.Start.Line;

    private static int Column(ParsingEvent at) => (int)at.Start.Column;
}
