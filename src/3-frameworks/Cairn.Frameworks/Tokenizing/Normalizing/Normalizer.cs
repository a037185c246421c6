namespace Cairn.Frameworks.Tokenizing.Normalizing;

/// <summary>Brings text into the form that a model was trained on. Safe for concurrent use.</summary>
internal abstract class Normalizer
{
    public abstract string Normalize(string text);
}

internal sealed class NormalizerChain(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public override string Normalize(string text)
    {
        foreach (var part in parts) text = part.Normalize(text);
        return text;
    }
}

/// <summary>One of the small ones that a function says whole.</summary>
internal sealed class NormalizerOf(Func<string, string> normalize) : Normalizer
{
    public override string Normalize(string text) => text.Length == 0 ? text : normalize(text);
}
