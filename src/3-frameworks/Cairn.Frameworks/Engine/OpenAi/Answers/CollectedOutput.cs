using System.Text;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Engine.OpenAi.Answers;

/// <summary>An output that is told at once.</summary>
internal sealed class CollectedOutput(bool keepTokens)
{
    private readonly StringBuilder _text = new();
    private readonly List<SampledToken> _tokens = [];
    private double _logprob;
    private int _count;

    public string Text => _text.ToString();

    public IReadOnlyList<SampledToken> Tokens => _tokens;

    public GenerationFinish? Finish { get; private set; }

    /// <summary>Per token, natural; what <c>best_of</c> ranks by.</summary>
    public double MeanLogprob => _count == 0 ? 0 : _logprob / _count;

    public void Take(in GenerationPiece piece)
    {
        _text.Append(piece.Text);
        if (keepTokens)
            _tokens.AddRange(piece.Tokens);
        for (var i = 0; i < piece.Tokens.Count; i++)
            _logprob += piece.Tokens[i].Logprob;
        _count += piece.Tokens.Count;
        Finish = piece.Finish ?? Finish;
    }
}
