using System.Text;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Files;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests.Files;

public sealed class A_task_gets_its_files_and_leaves_its_outputs
{
    [Fact]
    public async Task The_working_directory_is_as_uploaded_with_modes_and_links()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("./bin/tool; cat link; cat empty; find . -mindepth 1 | sort; stat -c %a bin/tool", start =>
        {
            start.Workdir = fixture.Fleet.Manifest(("a/b/c.txt", "deep\n"));
            start.Workdir.Files.Add(fixture.Fleet.Entry("bin/tool", "#!/bin/sh\necho tool\n"u8.ToArray(), 0x9ed));
            start.Workdir.Files.Add(new FileEntry { Path = "link", LinkTarget = "a/b/c.txt" });
            start.Workdir.Files.Add(fixture.Fleet.Entry("empty", []));
        });
        Assert.Equal("tool\ndeep\n./a\n./a/b\n./a/b/c.txt\n./bin\n./bin/tool\n./empty\n./link\n755\n", seen.Text());
    }

    [Fact]
    public async Task A_blob_travels_once_for_all_tasks_of_the_node()
    {
        await using var fixture = await Fixture.StartAsync();
        var manifest = fixture.Fleet.Manifest(("one", "same"), ("two", "same"), ("three", "other"));
        await fixture.RunAsync("echo changed >> one", start => start.Workdir = manifest);
        var seen = await fixture.RunAsync("cat one two three", start => start.Workdir = manifest);
        Assert.Equal("samesameother", seen.Text());
        Assert.Equal(2, fixture.Fleet.Fetched.Count);
    }

    [Fact]
    public async Task A_blob_with_other_bytes_than_its_hash_says_fails_the_task_and_is_not_kept()
    {
        await using var fixture = await Fixture.StartAsync();
        var manifest = fixture.Fleet.Manifest(("data", "right"));
        var hash = manifest.Files[0].Hash;
        fixture.Fleet.Blobs[hash] = "wrong"u8.ToArray();
        var seen = await fixture.RunAsync("cat data", start => start.Workdir = manifest);
        Assert.Equal(EndReasons.WorkdirFailed, seen.End!.EndReason);
        Assert.Contains(hash, seen.End.Message);
        fixture.Fleet.Blobs[hash] = "right"u8.ToArray();
        Assert.Equal("right", (await fixture.RunAsync("cat data", start => start.Workdir = manifest)).Text());
    }

    [Fact]
    public async Task A_manifest_that_leads_outside_is_refused_and_writes_nothing()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("true", start => start.Workdir = fixture.Fleet.Manifest(("fine", "x"), ("../../escaped", "x")));
        Assert.Equal(EndReasons.WorkdirFailed, seen.End!.EndReason);
        Assert.Contains("../../escaped", seen.End.Message);
        Assert.Empty(Directory.GetFiles(fixture.Folder, "escaped", SearchOption.AllDirectories));
        Assert.Empty(fixture.Fleet.Fetched);
    }

    [Fact]
    public async Task Outputs_are_stored_before_the_end_is_reported_and_known_blobs_do_not_travel()
    {
        await using var fixture = await Fixture.StartAsync();
        fixture.Fleet.Entry("known", Encoding.UTF8.GetBytes("known"));
        var big = new string('b', 600_000);
        var seen = await fixture.RunAsync(
            "mkdir -p model/sub; printf known > model/k; printf weights > model/sub/w; ln -s sub/w model/l; ln -s /etc/passwd model/evil; "
            + "mkfifo model/pipe; head -c 600000 /dev/zero | tr '\\0' b > report.txt",
            start =>
            {
                start.Outputs.Add(new OutputSpec { Name = "model", Path = "model/" });
                start.Outputs.Add(new OutputSpec { Name = "report", Path = "./report.txt" });
                start.Outputs.Add(new OutputSpec { Name = "gone", Path = "nowhere" });
            });
        Assert.Equal(EndReasons.Succeeded, seen.End!.EndReason);
        Assert.Contains("gone", seen.End.Message);
        Assert.Equal(["model", "report"], seen.Outputs.Select(o => o.Name));
        var model = seen.Outputs[0].Manifest;
        Assert.Equal(["k", "l", "sub/w"], model.Files.Select(f => f.Path).Order(StringComparer.Ordinal));
        Assert.Equal("weights", fixture.Fleet.Content(model, "sub/w"));
        Assert.Equal("sub/w", model.Files.Single(f => f.Path == "l").LinkTarget);
        Assert.Equal(ManifestHash.Of(model.Files), model.RootHash);
        Assert.Equal(big, fixture.Fleet.Content(seen.Outputs[1].Manifest, "report.txt"));
        Assert.Equal(2, fixture.Fleet.Stored.Count);
    }

    [Theory]
    [InlineData("ln -s /etc outputs", "outputs/passwd")]
    [InlineData("ln -s /etc/passwd secret", "secret")]
    [InlineData("true", "../../../etc/passwd")]
    [InlineData("true", "/etc/passwd")]
    public async Task An_output_that_leads_outside_is_not_read(string run, string path)
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync(run, start => start.Outputs.Add(new OutputSpec { Name = "stolen", Path = path }));
        Assert.Contains("stolen", seen.End!.Message);
        Assert.Empty(seen.Outputs);
        Assert.Empty(fixture.Fleet.Stored);
    }

    [Fact]
    public async Task Checkpoints_stay_on_the_node_across_attempts_and_are_stored_also_after_a_failure()
    {
        await using var fixture = await Fixture.StartAsync();
        var job = Guid.CreateVersion7().ToString();
        var first = await fixture.RunAsync("echo 41 > ckpt/step; exit 1", start => (start.JobId, start.CheckpointPath) = (job, "ckpt"));
        var second = await fixture.RunAsync("cat ckpt/step $CAIRN_CHECKPOINT_PATH/step", start => (start.JobId, start.CheckpointPath) = (job, "ckpt"));
        Assert.Equal(EndReasons.ExitCode, first.End!.EndReason);
        var stored = Assert.Single(first.Outputs);
        Assert.True(stored.Checkpoint);
        Assert.Equal("41\n", fixture.Fleet.Content(stored.Manifest, "step"));
        Assert.Equal("41\n41\n", second.Text());
    }

    [Fact]
    public async Task A_checkpoint_of_another_node_is_there_before_the_task_begins()
    {
        await using var fixture = await Fixture.StartAsync();
        var seen = await fixture.RunAsync("cat ckpt/step; echo 8 > ckpt/step", start =>
        {
            start.CheckpointPath = "ckpt";
            start.Checkpoint = fixture.Fleet.Manifest(("step", "7\n"));
        });
        Assert.Equal("7\n", seen.Text());
        Assert.Equal("8\n", fixture.Fleet.Content(seen.Outputs.Single().Manifest, "step"));
    }

    [Fact]
    public async Task Checkpoints_are_stored_while_the_task_runs()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("echo 1 > ckpt/step; sleep 1000", s => (s.CheckpointPath, s.CheckpointIntervalSeconds) = ("ckpt", 1));
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Outputs.Count == 1, "a checkpoint to be stored");
        Assert.Equal("1\n", fixture.Fleet.Content(seen.Outputs[0].Manifest, "step"));
        Assert.Null(seen.End);
    }

    [Fact]
    public async Task Files_and_outputs_wait_for_a_server_that_is_away()
    {
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("while [ ! -e go ]; do sleep 0.02; done; echo result > out", s => s.Outputs.Add(new OutputSpec { Name = "out", Path = "out" }));
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running), "the task to run");
        await fixture.StopServerAsync();
        Link.The_node_goes_on_while_the_server_is_away.Release(fixture, start);
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(fixture.ControlFolder(start), "run.exit")), "the task to end");
        await fixture.StartServerAsync();
        await fixture.EndAsync(start);
        Assert.Equal("result\n", fixture.Fleet.Content(seen.Outputs.Single().Manifest, "out"));
    }
}
