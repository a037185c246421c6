using Cairn.Frameworks.Tokenizing.Normalizing;

namespace Cairn.Frameworks.Tokenizing.AddedTokens;

/// <summary>
/// All added tokens: by id, by what they are written as, and as what finds them in text before and after it is normalised.
/// </summary>
internal sealed class AddedTokenTable
{
    private readonly Dictionary<int, AddedToken> _byId;
    private readonly Dictionary<string, int> _byContent = new(StringComparer.Ordinal);

    /// <param name="tokens">The tokens; of several with one id the last counts.</param>
    /// <param name="normalizer">What the text that normalised tokens are looked for in went through.</param>
    public AddedTokenTable(IEnumerable<AddedToken> tokens, Normalizer? normalizer)
    {
        _byId = [];
        foreach (var token in tokens) _byId[token.Id] = token;
        foreach (var token in _byId.Values) _byContent[token.Content] = token.Id;
        Raw = new AddedTokenFinder(_byId.Values.Where(token => !token.Normalized).Select(token => (token, token.Content)));
        Normalized = new AddedTokenFinder(_byId.Values.Where(token => token.Normalized)
            .Select(token => (token, normalizer?.Normalize(token.Content) ?? token.Content)));
    }

    public AddedTokenFinder Raw { get; }

    public AddedTokenFinder Normalized { get; }

    public IEnumerable<AddedToken> All => _byId.Values;

    public AddedToken? ById(int id) => _byId.GetValueOrDefault(id);

    public int? IdOf(string content) => _byContent.TryGetValue(content, out var id) ? id : null;
}
