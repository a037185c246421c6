namespace Cairn.Contracts.Workloads.Yaml;

/// <summary>
/// A node of a bounded tree with the place where it stands. An alias is the node of its anchor, so a tree may share branches.
/// </summary>
internal abstract class YamlNode(int line, int column)
{
    public int Line { get; } = line;

    public int Column { get; } = column;

    /// <summary>Nodes in this branch with every alias written out.</summary>
    public int Size { get; set; } = 1;

    /// <summary>Levels in this branch.</summary>
    public int Height { get; set; } = 1;

    /// <summary>What a message calls it: <c>'abc'</c>, <c>a list</c>.</summary>
    public abstract string Described { get; }
}

internal sealed class YamlScalar(string text, bool isPlain, int line, int column) : YamlNode(line, column)
{
    public string Text { get; } = text;

    /// <summary>Written without quotes and not as a block.</summary>
    public bool IsPlain { get; } = isPlain;

    /// <summary>The null words of the YAML 1.2 core schema.</summary>
    public bool IsNull => IsPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Described => IsNull ? "nothing" : $"'{Excerpt.Of(Text)}'";
}

internal sealed class YamlSequence(int line, int column) : YamlNode(line, column)
{
    public List<YamlNode> Items { get; } = [];

    public override string Described => "a list";
}

internal readonly record struct YamlEntry(YamlScalar Key, YamlNode Value);

internal sealed class YamlMapping(int line, int column) : YamlNode(line, column)
{
    public List<YamlEntry> Entries { get; } = [];

    public override string Described => "a mapping";

    public YamlEntry? Find(string key)
    {
        foreach (var entry in Entries)
        {
            if (entry.Key.Text == key)
                return entry;
        }

        return null;
    }
}

/// <param name="Root">Null for an empty document.</param>
/// <param name="Line">Where it starts.</param>
internal sealed record YamlDocument(YamlNode? Root, int Line);
