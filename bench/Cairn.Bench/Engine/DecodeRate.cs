using System.Diagnostics;

namespace Cairn.Bench.Engine;

/// <summary>Rates of streams that ran together.</summary>
internal static class DecodeRate
{
    /// <summary>Tokens a second of all streams while all of them decoded: from the last one's first token to the first one's last.</summary>
    public static double WhileAllDecode(IReadOnlyList<StreamedAnswer> answers)
    {
        var from = answers.Max(answer => answer.Heard[0]);
        var until = answers.Min(answer => answer.Heard[^1]);
        if (until <= from)
            throw new InvalidOperationException("the streams never ran all together");
        // A few tokens have no text of their own; they count with those that have.
        var tokens = answers.Sum(answer => answer.Heard.Count(at => at > from && at <= until) * ((double)answer.Tokens / answer.Heard.Count));
        return tokens / Stopwatch.GetElapsedTime(from, until).TotalSeconds;
    }

    /// <summary>Tokens a second from the first request to the last answer, prompts included.</summary>
    public static double Whole(IReadOnlyList<StreamedAnswer> answers) =>
        answers.Sum(answer => answer.Tokens) / Stopwatch.GetElapsedTime(answers.Min(answer => answer.Sent), answers.Max(answer => answer.Ended)).TotalSeconds;

    /// <summary>Every connection asks its requests one after the other; all connections at once.</summary>
    public static async Task<List<StreamedAnswer>> AskAsync(StreamConnection[] connections, Func<int, IEnumerable<byte[]>> requests)
    {
        var answers = await Task.WhenAll(connections.Select(async (connection, index) =>
        {
            var mine = new List<StreamedAnswer>();
            foreach (var request in requests(index).ToList())
                mine.Add(await connection.AskAsync(request));
            return mine;
        }));
        return [.. answers.SelectMany(mine => mine)];
    }
}
