using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Tests.Tokenizing;

/// <summary>No text makes a tokenizer hang: time grows about as the length does.</summary>
[Trait("speed", "slow")]
public sealed partial class Long_and_odd_texts
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var kind in new[] { "gpt2", "llama3", "llama2", "llama2-metaspace", "unigram-bytes", "bert" })
            {
                foreach (var unit in new[] { "a", " ", "\n", "1", "👍", "e\u0301", "\u0323\u0307", "<s", "'s ",
                    "the dog " }) cases.Add(kind, unit);
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Time_grows_with_length_and_not_with_its_square(string kind, string unit)
    {
        var tokenizer = Load(kind);
        tokenizer.Encode(Repeat(unit, 4_000));
        var small = Time(tokenizer, Repeat(unit, 64_000));
        var large = Time(tokenizer, Repeat(unit, 1_024_000));
        // Sixteen times the text: the square would be 256 times. Half a second is forgiven to what collects garbage.
        Assert.True(large < small * 64 + TimeSpan.FromSeconds(0.5),
            $"{small.TotalMilliseconds:0} ms, and {large.TotalMilliseconds:0} ms for sixteen times as much");
    }

    [Fact]
    public void Ten_megabytes_of_spaces_come_back()
    {
        var (tokenizer, text) = (Load("llama3"), new string(' ', 10 << 20));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false)));
    }

    [Fact]
    public void A_pattern_that_tries_everything_is_refused_and_not_run_for_ever()
    {
        var tokenizer = MadeTokenizer.Load(MadeTokenizer.Splitting(MadeTokenizer.Split("(?:a|aa)+b", "Isolated"), MadeTokenizer.Bytes()));
        var refused = Assert.Throws<ArgumentException>(() => tokenizer.Encode(new string('a', 100)));
        Assert.Contains("pattern", refused.Message, StringComparison.Ordinal);
        Assert.NotEmpty(tokenizer.Encode("aaab"));
    }

    private static Tokenizer Load(string kind) => MadeTokenizer.Load(kind switch
    {
        "gpt2" => MadeTokenizer.ByteLevel(),
        "llama3" => MadeTokenizer.Llama3Like(),
        "llama2" => MadeTokenizer.Llama2Like(),
        "llama2-metaspace" => MadeTokenizer.Llama2Like(metaspace: true),
        "unigram-bytes" => MadeTokenizer.UnigramLike(byteFallback: true),
        _ => MadeTokenizer.BertLike(),
    });

    private static string Repeat(string unit, int characters) => new StringBuilder().Insert(0, unit, characters / unit.Length).ToString();

    /// <summary>By the processor's time of this thread: a busy machine takes none of it.</summary>
    private static TimeSpan Time(Tokenizer tokenizer, string text)
    {
        var started = ProcessorTime();
        tokenizer.Encode(text);
        return ProcessorTime() - started;
    }

    private static TimeSpan ProcessorTime()
    {
        Assert.Equal(0, ClockGetTime(ThreadProcessorTime, out var time));
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000);
    }

    /// <summary>Linux's <c>CLOCK_THREAD_CPUTIME_ID</c>.</summary>
    private const int ThreadProcessorTime = 3;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
