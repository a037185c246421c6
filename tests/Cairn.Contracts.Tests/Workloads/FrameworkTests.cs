using Cairn.Contracts.Frameworks;
using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>What the field <c>framework</c> may say.</summary>
public sealed class FrameworkTests
{
    public static TheoryData<string> Training => new(FrameworkNames.Training);

    public static TheoryData<string> Others => new(FrameworkNames.Others);

    [Theory]
    [MemberData(nameof(Training))]
    public void A_training_framework_is_acted_on(string name)
    {
        var result = WorkloadParser.Parse($"run: x\nframework: {name}\n", "f.yaml");
        Assert.Empty(result.Errors);
        Assert.Empty(result.Warnings);
        Assert.Equal(name, result.File!.Steps[0].Workload.Framework);
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void A_framework_for_which_nothing_is_set_up_is_said_to_be_so(string name)
    {
        var result = WorkloadParser.Parse($"run: x\nframework: {name}\n", "f.yaml");
        Assert.Empty(result.Errors);
        Assert.Equal(DiagnosticCodes.NotActedOn, Assert.Single(result.Warnings).Code);
    }

    [Theory]
    [InlineData("Torch", "pytorch")]
    [InlineData("pytorch-ddp", "pytorch")]
    [InlineData("tf", "tensorflow")]
    [InlineData("OpenMPI", "mpi")]
    public void Another_name_becomes_the_canonical_one(string word, string name) =>
        Assert.Equal(name, WorkloadParser.Parse($"run: x\nframework: {word}\n", "f.yaml").File!.Steps[0].Workload.Framework);
}
