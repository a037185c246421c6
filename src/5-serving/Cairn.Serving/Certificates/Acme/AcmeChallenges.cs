using System.Collections.Concurrent;

namespace Cairn.Serving.Certificates.Acme;

/// <summary>What the authority asks for at <c>/.well-known/acme-challenge/TOKEN</c> while it looks whether a name is ours (RFC 8555, 8.3).</summary>
internal sealed class AcmeChallenges
{
    public const string Path = "/.well-known/acme-challenge/";

    private readonly ConcurrentDictionary<string, string> _answers = new(StringComparer.Ordinal);

    public string? Find(string token) => _answers.GetValueOrDefault(token);

    /// <summary>Answers for a token until disposed of.</summary>
    public IDisposable Answer(string token, string answer)
    {
        _answers[token] = answer;
        return new Given(() => _answers.TryRemove(token, out _));
    }

    private sealed class Given(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
