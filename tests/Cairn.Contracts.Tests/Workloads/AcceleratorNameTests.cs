using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests;

public sealed class AcceleratorNameTests
{
    [Theory]
    [InlineData("H100", "H100-SXM-80GB", true)]
    [InlineData("h100", "H100-SXM-80GB", true)]
    [InlineData("A100-80GB", "A100-80GB", true)]
    [InlineData("A100-80GB", "A100-SXM-80GB", true)]
    [InlineData("A100-80GB", "A100-PCIE-80GB", true)]
    [InlineData("A100-80GB", "A100-SXM-40GB", false)]
    [InlineData("A100", "A1000", false)]
    [InlineData("A100", "A100X", false)]
    [InlineData("A100-SXM-80GB", "A100-80GB", false)]
    [InlineData("H100-80GB-SXM", "H100-SXM-80GB", false)]
    [InlineData("RTX4090", "RTX-4090-24GB", true)]
    [InlineData("RTX-4090", "RTX4090", true)]
    [InlineData("rtx 4090", "RTX4090-24GB", true)]
    [InlineData("SXM", "H100-SXM-80GB", false)]
    public void A_name_stands_for_every_kind_of_its_model(string pattern, string canonical, bool matches) =>
        Assert.Equal(matches, AcceleratorName.Matches(pattern, canonical));

    [Theory]
    [InlineData("us-east-1", "aws", "us-east-1", true)]
    [InlineData("US-EAST-1", "aws", "us-east-1", true)]
    [InlineData("us-*", "aws", "us-east-1", true)]
    [InlineData("aws/us-east-1", "AWS", "us-east-1", true)]
    [InlineData("aws/us-east-1", "gcp", "us-east-1", false)]
    [InlineData("aws/*", "aws", "eu-west-1", true)]
    [InlineData("*/eu-west-1", "aws", "eu-west-1", true)]
    [InlineData("us-east", "aws", "us-east-1", false)]
    public void A_region_pattern_names_regions_of_one_or_of_every_provider(string pattern, string provider, string region, bool matches) =>
        Assert.Equal(matches, RegionPattern.Matches(pattern, provider, region));
}
