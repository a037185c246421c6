using Cairn.Frameworks.Constraining;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>Grammars of the constraints asked for last: programs ask with the same few again and again. Safe for concurrent use.</summary>
internal sealed class GrammarCache
{
    private const int Most = 64;
    private const int LongestKey = 64 << 10;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (Grammar Grammar, long Used)> _grammars = new(StringComparer.Ordinal);
    private long _uses;

    /// <param name="key">Equal where the grammars are.</param>
    /// <exception cref="GrammarException">It cannot be compiled.</exception>
    public Grammar Get(string key, Func<Grammar> compile)
    {
        if (key.Length > LongestKey)
            return compile();
        lock (_lock)
        {
            if (_grammars.TryGetValue(key, out var known))
            {
                _grammars[key] = known with { Used = ++_uses };
                return known.Grammar;
            }
        }

        var grammar = compile();
        lock (_lock)
        {
            if (_grammars.Count >= Most)
                _grammars.Remove(_grammars.MinBy(entry => entry.Value.Used).Key);
            _grammars[key] = (grammar, ++_uses);
        }

        return grammar;
    }
}
