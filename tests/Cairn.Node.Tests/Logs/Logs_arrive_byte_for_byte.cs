using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Cairn.Contracts.Wire;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests.Logs;

public sealed class Logs_arrive_byte_for_byte
{
    [Fact]
    public async Task Binary_output_long_lines_and_a_missing_last_line_end_are_kept()
    {
        await using var fixture = await Fixture.StartAsync();
        var content = RandomNumberGenerator.GetBytes(300_000);
        var line = Encoding.ASCII.GetBytes(new string('x', 100_000));
        byte[] all = [.. content, .. line, (byte)'\n', (byte)'\n', .. "no line end"u8];
        var seen = await fixture.RunAsync("cat data; cat data >&2", start =>
        {
            start.Workdir = new FileManifest();
            start.Workdir.Files.Add(fixture.Fleet.Entry("data", all));
        });
        Assert.Equal(all, seen.Bytes());
        Assert.Equal(all, seen.Bytes(LogStream.Error));
    }

    [Fact]
    public async Task Fifty_megabytes_arrive_whole()
    {
        await using var fixture = await Fixture.StartAsync();
        var watch = Stopwatch.StartNew();
        var start = fixture.NewTask("seq 1 7000000 | head -c 50000000");
        var seen = fixture.Send(start);
        await fixture.EndAsync(start, 600);
        var elapsed = watch.Elapsed;
        var bytes = seen.Bytes();
        Assert.Equal(50_000_000, bytes.Length);
        var expected = new StringBuilder();
        for (var i = 1; expected.Length < 50_000_000; i++)
            expected.Append(i).Append('\n');
        Assert.Equal(expected.ToString(0, 50_000_000), Encoding.ASCII.GetString(bytes));
        TestContext.Current.SendDiagnosticMessage($"50 MB in {elapsed.TotalSeconds:F2} s");
    }

    [Fact]
    public async Task The_raw_files_give_their_blocks_back_while_the_task_runs()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("head -c 30000000 /dev/zero | tr '\\0' 'a' | fold -w 100; echo written >&2; sleep 1000");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text(LogStream.Error).Contains("written") && seen.LogLength > 30_000_000, "all output to arrive");
        var raw = Path.Combine(fixture.ControlFolder(start), "stdout.raw");
        Assert.True(new FileInfo(raw).Length >= 30_000_000);
        await Eventually.TrueAsync(() => Native.EntryFacts.Read(raw)!.Value.BytesOnDisk < 4_000_000, "the blocks to be freed");
    }

    [Fact]
    public async Task A_line_without_an_end_is_shown_while_the_task_waits()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("printf 'password: '; sleep 1000");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "password: ", "the prompt to be shown");
    }

    [Fact]
    public async Task Opening_dev_stdout_anew_works_and_loses_nothing()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo one; while [ ! -e seen ]; do sleep 0.01; done; for i in 1 2 3; do echo two > /dev/stdout; echo oops > /dev/stderr; done; echo three");
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Text() == "one\n", "the first line");
        var work = Directory.GetDirectories(fixture.Folder, start.TaskId, SearchOption.AllDirectories).Single(d => Directory.Exists(d + "/workdir"));
        File.WriteAllText(Path.Combine(work, "workdir", "seen"), "");
        await fixture.EndAsync(start);
        Assert.Equal("one\ntwo\ntwo\ntwo\nthree\n", seen.Text());
        Assert.Equal("oops\noops\noops\n", seen.Text(LogStream.Error));
    }

    [Fact]
    public async Task A_chunk_that_the_server_lost_is_sent_again()
    {
        await using var fixture = await Fixture.StartAsync(fleet: fleet => fleet.LosesNextChunk = true);
        var seen = await fixture.RunAsync("echo first; seq 1 200000");
        Assert.StartsWith("first\n1\n2\n", seen.Text());
        Assert.EndsWith("200000\n", seen.Text());
    }

    [Fact]
    public async Task The_first_line_reaches_the_server_before_the_end()
    {
        await using var fixture = await Fixture.StartAsync(o => new NodeOptions { DataFolder = o.DataFolder, JoinToken = o.JoinToken, Benchmark = false });
        await fixture.RunAsync("true");
        var delays = new List<double>();
        for (var i = 0; i < 10; i++)
        {
            var start = fixture.NewTask("date +%s%N");
            var watch = Stopwatch.StartNew();
            var seen = fixture.Send(start);
            await Eventually.TrueAsync(() => seen.LogLength > 0, "the first line");
            delays.Add(watch.Elapsed.TotalMilliseconds);
            await fixture.EndAsync(start);
        }
        delays.Sort();
        TestContext.Current.SendDiagnosticMessage($"command to first line: median {delays[5]:F1} ms, all {string.Join(' ', delays.Select(d => d.ToString("F0")))}");
    }
}
