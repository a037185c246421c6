using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;

namespace Cairn.Fleet.Tests.Jobs;

public sealed class Submissions_are_taken
{
    private const string Echo = "name: echo\nrun: echo hello\n";

    [Fact]
    public async Task Once_however_often_the_same_request_comes()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one", attach: false);
        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => world.TrySubmitAsync(Echo, key: "k"))));
        var accepted = Assert.Single(results.OfType<IntakeResult.Accepted>());
        Assert.All(results.OfType<IntakeResult.Repeated>(), r => Assert.Equal(accepted.Jobs[0].Id, r.Job));
        Assert.Equal(63, results.OfType<IntakeResult.Repeated>().Count());
        var other = Assert.IsType<IntakeResult.Refused>(await world.TrySubmitAsync("name: other\nrun: x\n", key: "k"));
        Assert.Equal(ProblemCodes.IdempotencyMismatch, other.Refusal.Problem.Code);
    }

    [Fact]
    public async Task A_name_that_was_insisted_on_is_given_to_one()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one", attach: false);
        var results = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(
            () => world.TrySubmitAsync(Echo, new SubmitJobRequest { Workload = "", Name = "mine" }))));
        Assert.Single(results.OfType<IntakeResult.Accepted>());
        Assert.All(results.OfType<IntakeResult.Refused>(), r => Assert.Equal(ProblemCodes.NameTaken, r.Refusal.Problem.Code));
    }

    [Fact]
    public async Task A_name_from_the_file_gets_a_suffix_while_it_is_taken()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one", attach: false);
        var names = (await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => world.SubmitAsync(Echo))))).Select(j => j.Name)
            .ToList();
        Assert.Equal(64, names.Distinct().Count());
        Assert.Contains("echo", names);
        Assert.All(names, n => Assert.True(n == "echo" || (n.StartsWith("echo-", StringComparison.Ordinal) && n.Length == 11), n));
    }

    [Fact]
    public async Task A_longer_suffix_is_given_where_two_short_ones_are_the_same()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one", attach: false);
        var first = await world.SubmitAsync(Echo);
        List<string> names = [first.Name];
        for (byte i = 0; i < 3; i++)
        {
            // The ids differ in their random bits, but not in the last thirty, of which the short suffix is made.
            var alike = new JobId(new Guid(1, 2, 0x7abc, 0x80, i, 3, 4, 5, 6, 7, 8));
            var job = new LiveJob
            {
                Id = alike, Name = "", WishedName = "echo", ProjectId = first.ProjectId, Project = first.Project, Priority = 0, Nodes = 1,
                Spec = first.Spec, Places = first.Places, SubmittedAt = first.SubmittedAt, EventSequence = 1, Wanted = "",
            };
            var result = await world.Intake.SubmitAsync([new JobDraft(job, false, Money.Zero, null, null)], CancellationToken.None);
            names.Add(Assert.IsType<IntakeResult.Accepted>(result).Jobs[0].Name);
        }
        Assert.Equal(4, names.Distinct().Count());
        Assert.Equal([4, 11, 17, 17], names.Select(n => n.Length));
    }

    [Fact]
    public async Task What_is_wrong_is_told_at_once_and_changes_nothing()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("one");
        var bad = Assert.IsType<IntakeResult.Refused>(await world.TrySubmitAsync("name: x\nnods: 2\nrun: y\nnodes: zero\n"));
        Assert.Equal(ProblemCodes.InvalidWorkload, bad.Refusal.Problem.Code);
        Assert.True(bad.Refusal.Errors.Count >= 2);
        Assert.All(bad.Refusal.Errors, e => Assert.StartsWith("workload.yaml:", e));
        var named = Assert.IsType<IntakeResult.Refused>(
            await world.TrySubmitAsync(Echo, new SubmitJobRequest { Workload = "", Name = "No Good" }));
        Assert.Equal(ProblemCodes.InvalidRequest, named.Refusal.Problem.Code);
        var big = Assert.IsType<IntakeResult.Refused>(await world.TrySubmitAsync("name: big\nrun: x\nresources:\n  cpus: 64\n"));
        Assert.Equal(ProblemCodes.NoPlace, big.Refusal.Problem.Code);
        Assert.Contains("acme/north/box", Assert.Single(big.Refusal.Errors));
        Assert.Empty(await world.RowsAsync<string>("SELECT name FROM jobs"));
    }

    [Fact]
    public async Task To_the_place_that_was_asked_for()
    {
        await using var world = await World.OpenAsync();
        await world.AddNodeAsync("cheap", World.Machine(pricePerHour: 1, provider: "acme"));
        await world.AddNodeAsync("dear", World.Machine(pricePerHour: 9, provider: "other"));
        var one = await world.SubmitAsync(Echo);
        Assert.Equal("cheap", (await world.UntilAsync(one.Id, JobPhase.Succeeded)).Attempts!.Single().Tasks.Single().Node);
        var two = await world.SubmitAsync(Echo, new SubmitJobRequest { Workload = "", At = "other/north" });
        Assert.Equal("dear", (await world.UntilAsync(two.Id, JobPhase.Succeeded)).Attempts!.Single().Tasks.Single().Node);
    }

    [Fact]
    public async Task Secrets_reach_the_task_and_nothing_else()
    {
        await using var world = await World.OpenAsync();
        var node = await world.AddNodeAsync("one");
        node.OnRunning = _ => { };
        var job = await world.SubmitAsync(
            "name: s\nrun: x\nsecrets: [TOKEN]\n",
                new SubmitJobRequest { Workload = "", Secrets = new Dictionary<string, string> { ["TOKEN"] = "hunter2-secret" } });
        await world.UntilAsync(job.Id, JobPhase.Running);
        Assert.Equal("hunter2-secret", node.Tasks.Single().Start.Secrets["TOKEN"]);
        Assert.Single(await world.RowsAsync<string>("SELECT sealed FROM job_secrets"));
        foreach (var file in Directory.GetFiles(world.Folder, "cairn.db*").Where(f => !f.EndsWith("lock", StringComparison.Ordinal)))
            Assert.DoesNotContain("hunter2", File.ReadAllText(file, System.Text.Encoding.Latin1));
        node.Tasks.Single().End(EndReasons.Succeeded, 0);
        await world.UntilAsync(job.Id, JobPhase.Succeeded);
        Assert.Empty(await world.RowsAsync<string>("SELECT sealed FROM job_secrets"));
    }
}
